/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#define _GNU_SOURCE

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define MOST_ROWS 64u

static struct row rows[MOST_ROWS];
static unsigned int row_count;

void bench_row(struct row row)
{
	if (row_count < MOST_ROWS)
		rows[row_count++] = row;
}

static double ns_between(const struct timespec *from, const struct timespec *to)
{
	return (double)(to->tv_sec - from->tv_sec) * 1e9 + (double)(to->tv_nsec - from->tv_nsec);
}

double bench_time(void (*call)(void *opaque), void *opaque, unsigned int repeat,
		  unsigned int rounds)
{
	double least = -1;

	for (unsigned int round = 0; round < rounds; round++) {
		struct timespec from, to;
		double ns;

		clock_gettime(CLOCK_MONOTONIC, &from);
		for (unsigned int i = 0; i < repeat; i++)
			call(opaque);
		clock_gettime(CLOCK_MONOTONIC, &to);
		ns = ns_between(&from, &to) / repeat;
		least = least < 0 || ns < least ? ns : least;
	}
	return least;
}

void bench_in_turn(struct timed *timed, unsigned int count, void *opaque, unsigned int rounds)
{
	for (unsigned int round = 0; round < rounds; round++) {
		for (unsigned int i = 0; i < count; i++) {
			double ns = bench_time(timed[i].call, opaque, 1, 1);

			timed[i].ns = round == 0 || ns < timed[i].ns ? ns : timed[i].ns;
		}
	}
}

static bool judged(const struct row *row)
{
	return row->measured && row->bound != NO_BAR;
}

static bool holds(const struct row *row)
{
	if (!judged(row))
		return false;
	return row->bound == AT_LEAST ? row->value >= row->bar : row->value <= row->bar;
}

static const char *const bound_names[] = {
	[AT_MOST] = "at most",
	[AT_LEAST] = "at least",
	[NO_BAR] = "-",
};

static void print_table(void)
{
	printf("%-26s %12s %-6s %-8s %12s %-6s beside\n", "name", "value", "unit", "must be", "bar",
	       "holds");
	for (unsigned int i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];

		if (row->measured)
			printf("%-26s %12.2f", row->name, row->value);
		else
			printf("%-26s %12s", row->name, "-");
		printf(" %-6s %-8s", row->unit, bound_names[row->bound]);
		if (row->bound == NO_BAR)
			printf(" %12s", "-");
		else
			printf(" %12.2f", row->bar);
		printf(" %-6s %s", !judged(row) ? "-" : holds(row) ? "yes" : "NO", row->peer);
		if (row->peer_value >= 0)
			printf(": %.2f", row->peer_value);
		printf("\n");
	}
}

static void print_number(const char *key, double value, bool known)
{
	if (known)
		printf("\"%s\": %.6g, ", key, value);
	else
		printf("\"%s\": null, ", key);
}

static void print_json(void)
{
	printf("{\"results\": [");
	for (unsigned int i = 0; i < row_count; i++) {
		const struct row *row = &rows[i];

		printf("%s\n  {\"name\": \"%s\", ", i ? "," : "", row->name);
		print_number("value", row->value, row->measured);
		printf("\"unit\": \"%s\", ", row->unit);
		if (row->bound == NO_BAR)
			printf("\"bound\": null, ");
		else
			printf("\"bound\": \"%s\", ", bound_names[row->bound]);
		print_number("bar", row->bar, row->bound != NO_BAR);
		printf("\"holds\": %s, ", !judged(row) ? "null" : holds(row) ? "true" : "false");
		print_number("peer_value", row->peer_value, row->peer_value >= 0);
		printf("\"peer\": \"%s\"}", row->peer);
	}
	printf("\n]}\n");
}

int main(int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	bool broken = false;

	if (argc > 1 && !json) {
		fprintf(stderr, "usage: vpmu-bench [--json]\n");
		return 2;
	}
	bench_access();
	bench_size();
	bench_growth();
	bench_image();
	bench_perf();
	bench_blackout();
	bench_monitor();
	if (json)
		print_json();
	else
		print_table();
	for (unsigned int i = 0; i < row_count; i++)
		broken |= judged(&rows[i]) && !holds(&rows[i]);
	return broken;
}
