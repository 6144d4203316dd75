/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu probe: what this host can count, why not, and what to do about it. */
#include <stdio.h>
#include <string.h>

#include <vpmu/version.h>

#include "tool.h"

const struct check checks[] = {
	{ "kernel", "kernel", "release of the running kernel", check_kernel },
	{ "pmu_devices", "PMU devices", "devices that count, from /sys/bus/event_source/devices",
	  check_pmu_devices },
	{ "hybrid", "hybrid cores",
	  "PMUs of different core types; one word where all cores are alike", check_hybrid },
	{ "hardware_events", "hardware events", "generic hardware events that open for a guest",
	  check_hardware },
	{ "cache_events", "cache events", "generic cache events that open for a guest",
	  check_cache },
	{ "raw_events", "raw events", "whether events of the PMU's own can be counted: yes or no",
	  check_raw },
	{ "software_events", "software events", "host-software events that open", check_software },
	{ "counters", "free counters", "hardware counters that a guest could have now",
	  check_counters },
	{ "permission", "perf permission", "kernel.perf_event_paranoid against capabilities",
	  check_permission },
	{ "capabilities", "capabilities", "those of this process that perf asks for",
	  check_capabilities },
	{ "mediated_vpmu", "mediated vPMU", "whether KVM keeps the PMU for its guests",
	  check_mediated },
	{ "nmi_watchdog", "NMI watchdog", "whether it holds a counter of every CPU",
	  check_watchdog },
	{ "descriptors", "descriptors", "limit of this process; a host event takes one",
	  check_descriptors },
	{ "locked_memory_kb", "locked memory", "KiB for mapped events, per user and CPU",
	  check_locked_memory },
	{ "sample_rate", "sample rate", "overflows per second before the kernel throttles",
	  check_sample_rate },
	{ "event_names", "event names", "whether raw events can be given by libpfm4's names",
	  check_event_names },
	{ "kvm", "KVM", "whether /dev/kvm can be opened", check_kvm },
	{ "kvm_registers", "KVM registers", "virtual MSRs: user-space MSR exits and MSR filter",
	  check_kvm_registers },
	{ "kvm_notices", "KVM notices", "whether a signal handler can keep a vCPU from running",
	  check_kvm_notices },
	{ "kvm_interrupts", "KVM interrupts", "ways to give a guest its PMI",
	  check_kvm_interrupts },
	{ "kvm_pmu", "KVM vPMU control", "switching off and filtering the in-kernel vPMU",
	  check_kvm_pmu },
};
const unsigned int check_count = sizeof(checks) / sizeof(checks[0]);

static int help(void)
{
	printf("Usage: vpmu probe [--json]\n\n"
	       "Says what this host can count for a guest, why not, and what to do about it.\n"
	       "Run it as the user, and with the capabilities, of the VMM.\n\n"
	       "  --json  one JSON object: \"vpmu\", the version, and an object for each key below,\n"
	       "          with \"verdict\" (\"ok\", \"limited\", \"no\" or \"unknown\"), \"value\" (a text,\n"
	       "          a number, an array of texts, or null) and \"remedy\" (a text, or null)\n"
	       "  --help  this text\n\nKeys:\n");
	for (unsigned int i = 0; i < check_count; i++)
		printf("  %-17s %s\n", checks[i].key, checks[i].meaning);
	return TOOL_DONE;
}

static void look(unsigned int number, struct finding *finding)
{
	memset(finding, 0, sizeof(*finding));
	finding->key = checks[number].key;
	finding->label = checks[number].label;
	checks[number].look(finding);
}

static int print_text(void)
{
	struct finding finding;

	for (unsigned int i = 0; i < check_count; i++) {
		look(i, &finding);
		finding_print(&finding);
	}
	return TOOL_DONE;
}

static int print_json(void)
{
	struct finding finding;

	printf("{\n  \"vpmu\": \"%d.%d.%d\"", VPMU_VERSION_MAJOR, VPMU_VERSION_MINOR,
	       VPMU_VERSION_PATCH);
	for (unsigned int i = 0; i < check_count; i++) {
		look(i, &finding);
		finding_print_json(&finding);
	}
	printf("\n}\n");
	return TOOL_DONE;
}

int probe_main(int count, char **arguments)
{
	int json = 0;

	for (int i = 0; i < count; i++) {
		if (strcmp(arguments[i], "--help") == 0)
			return help();
		if (strcmp(arguments[i], "--json") != 0)
			return usage_error("probe", arguments[i]);
		json = 1;
	}
	return json ? print_json() : print_text();
}
