/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints all results as one JSON object; report.py makes the page of them. */
#include <stdio.h>

#include "results.h"

int main(void)
{
	printf("{\n");
	results_error();
	printf(",\n");
	results_boundary();
	printf(",\n");
	results_census();
	printf("\n}\n");
	return 0;
}
