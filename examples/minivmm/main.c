/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

#include <stdio.h>

#include "minivmm.h"

/* 0 when every vCPU's guest came to its end. */
static int failures_print(const struct machine *machine)
{
	int failures = 0;
	uint32_t i;

	for (i = 0; i < VCPUS; i++) {
		const struct vcpu *vcpu = &machine->vcpus[i];

		if (vcpu->done)
			continue;
		failures++;
		fprintf(stderr, "minivmm: vCPU %u did not come to its end: %s\n", i,
			vcpu->failure[0] ? vcpu->failure : "it was not started");
	}
	return failures;
}

/* The guest that runs through its phases once. */
static int phases_run(struct machine *machine)
{
	int error = machine->options.inside ? inside_run(machine) : vm_run(machine);

	if (!error)
		error = failures_print(machine);
	if (!error && machine->options.json)
		json_print(machine);
	else if (!error)
		report_print(machine);
	return error;
}

static int simulated_show(struct machine *machine)
{
	int error = simulated_run(machine);

	if (!error)
		error = failures_print(machine);
	if (!error)
		simulated_print(machine);
	return error;
}

/* The guest that is moved. */
static int move_show(struct machine *machine)
{
	struct figures figures = { 0 };
	int error = move_run(machine, &figures);

	if (error)
		return error;
	if (machine->options.json)
		move_json(&figures);
	else
		move_print(&machine->options, &figures);
	return figures.failed ? -1 : 0;
}

static struct machine first;
static struct machine second;

static int with_device(struct machine *machine, const struct options *options,
		       int (*run)(struct machine *machine))
{
	int error;

	machine->options = *options;
	error = device_create(machine);
	if (!error)
		error = run(machine);
	device_destroy(machine);
	return error;
}

/* What the options ask for instead of the whole demonstration; NULL: nothing. */
static int (*single_of(struct options *options))(struct machine *machine)
{
	options->roam = options->move || options->save || options->restore || options->receive;
	options->incoming = options->restore || options->receive;
	if (options->receive)
		return receive_run;
	if (options->restore)
		return snapshot_restore;
	if (options->save)
		return snapshot_save;
	return options->move ? move_show : NULL;
}

static int demonstrate(struct options *options)
{
	int error;

	if (options->simulated)
		return with_device(&first, options, simulated_show);
	if (options->json)
		printf("{\n");
	error = with_device(&first, options, phases_run);
	options->statistics = NULL;
	if (!error && !options->inside) {
		options->roam = 1;
		error = with_device(&second, options, move_show);
	} else if (!error && options->json) {
		printf("  \"migration\": null");
	}
	if (options->json)
		printf("\n}\n");
	return error;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	int (*single)(struct machine * machine);
	int error;

	(void)argc;
	options_take(&options, argv + 1);
	single = single_of(&options);
	if (!options.inside && !vm_is_possible()) {
		fprintf(stderr,
			"minivmm: /dev/kvm cannot create a VM; the guest's code runs in this "
			"process instead\n");
		options.inside = 1;
	}
	if (single && options.inside) {
		fprintf(stderr, "minivmm: only a guest under KVM can be moved\n");
		return 1;
	}
	if (!single)
		return demonstrate(&options) ? 1 : 0;
	if (options.json)
		printf("{\n");
	error = with_device(&first, &options, single);
	if (options.json)
		printf("\n}\n");
	return error ? 1 : 0;
}
