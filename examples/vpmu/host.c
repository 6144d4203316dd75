/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What files of /proc and /sys say of the host. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifdef WITH_LIBPFM
#include <perfmon/pfmlib.h>
#endif

#include <vpmu/vpmu.h>

#include "tool.h"

#define DEVICES "/sys/bus/event_source/devices"

/* Reads the first line of a file; 0, or -1. */
int host_read(const char *path, char *text, size_t size)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (file < 0)
		return -1;
	length = read(file, text, size - 1);
	close(file);
	if (length < 0)
		return -1;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int read_number(const char *path, int64_t *number)
{
	char text[32];
	char *end;

	if (host_read(path, text, sizeof(text)) != 0)
		return -1;
	*number = strtoll(text, &end, 10);
	return end == text ? -1 : 0;
}

/* Some kernels die of what other users of perf do; this library does not do it. */
void check_kernel(struct finding *finding)
{
	struct utsname names;
	int major = 0;
	int minor = 0;

	if (uname(&names) != 0) {
		finding->verdict = VERDICT_UNKNOWN;
		return;
	}
	finding_set(finding, VERDICT_OK, names.release);
	if (sscanf(names.release, "%d.%d", &major, &minor) == 2 && major == 6 &&
	    (minor == 16 || minor == 17)) {
		finding->verdict = VERDICT_LIMITED;
		finding_set_remedy(
			finding,
			"Linux 6.16 and 6.17 may lock up when a clock event reaches the end of a "
			"PERF_EVENT_IOC_REFRESH. libvpmu never uses that; for other tools on this "
			"host, update the kernel.");
	}
}

/* Devices that are no hardware PMU of the cores. */
static int is_core_pmu(const char *name)
{
	static const char *const cores[] = { "cpu", "armv", "apple_", "loongarch", "riscv" };

	for (size_t i = 0; i < sizeof(cores) / sizeof(cores[0]); i++)
		if (strncmp(name, cores[i], strlen(cores[i])) == 0)
			return 1;
	return 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int core_device(const struct dirent *entry)
{
	return is_core_pmu(entry->d_name);
}

/* Adds the devices of a kind in the order of their names; how many. */
static int add_devices(struct finding *finding, int (*chosen)(const struct dirent *entry))
{
	struct dirent **entries;
	int count = scandir(DEVICES, &entries, chosen, alphasort);

	for (int i = 0; i < count; i++) {
		finding_add_word(finding, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return count;
}

void check_pmu_devices(struct finding *finding)
{
	struct finding cores = { 0 };

	if (add_devices(finding, visible) < 0) {
		finding_set(finding, VERDICT_NO, "");
		finding_set_remedy(finding, DEVICES " cannot be read: the kernel is built without "
						    "CONFIG_PERF_EVENTS, or /sys is not mounted.");
		return;
	}
	finding->kind = KIND_WORDS;
	if (add_devices(&cores, core_device) > 0) {
		finding->verdict = VERDICT_OK;
		return;
	}
	finding->verdict = VERDICT_NO;
	finding_set_remedy(finding,
			   "No PMU of the cores is among them. In a VM, ask for a vPMU; else "
			   "look in the kernel's log for \"Performance Events\".");
}

/* Generic events count on the first core type only, so a thread that moves counts in part. */
void check_hybrid(struct finding *finding)
{
	int count = add_devices(finding, core_device);

	finding->kind = KIND_WORDS;
	finding->verdict = count < 0 ? VERDICT_UNKNOWN : VERDICT_OK;
	if (count < 2)
		return;
	finding->verdict = VERDICT_LIMITED;
	finding_set_remedy(finding, "Pin vCPU threads to cores of one type: on the others their "
				    "events do not run, which their running time shows.");
}

void check_permission(struct finding *finding)
{
	int64_t level;

	if (read_number("/proc/sys/kernel/perf_event_paranoid", &level) != 0) {
		finding_set(finding, VERDICT_UNKNOWN, "");
		finding_set_remedy(finding, "kernel.perf_event_paranoid cannot be read.");
		return;
	}
	finding->kind = KIND_NUMBER;
	snprintf(finding->value, sizeof(finding->value), "%" PRId64, level);
	if (level < 2 || capability_held(CAPABILITY_SYS_ADMIN) ||
	    (level == 2 && capability_held(CAPABILITY_PERFMON)))
		return;
	finding->verdict = level > 2 ? VERDICT_NO : VERDICT_LIMITED;
	finding_set_remedy(
		finding,
		level > 2 ? "At this level only CAP_SYS_ADMIN may count: lower it with sysctl "
			    "kernel.perf_event_paranoid=2 and give the VMM CAP_PERFMON." :
			    "Guest kernel mode cannot be counted: give the VMM CAP_PERFMON, or "
			    "lower kernel.perf_event_paranoid to 1.");
}

/* The answer of one of KVM's modules: 1, 0, or -1 where there is none. */
static int mediated_in(const char *path)
{
	char text[8];

	if (host_read(path, text, sizeof(text)) != 0)
		return -1;
	return text[0] == 'Y' || text[0] == '1';
}

void check_mediated(struct finding *finding)
{
	int intel = mediated_in("/sys/module/kvm_intel/parameters/enable_mediated_pmu");
	int amd = mediated_in("/sys/module/kvm_amd/parameters/enable_mediated_pmu");

	if (intel != 1 && amd != 1) {
		finding_set(finding, VERDICT_OK,
			    intel < 0 && amd < 0 ? "not known to this kernel" : "off");
		return;
	}
	finding_set(finding, VERDICT_NO, "on");
	finding_set_remedy(finding,
			   "Hardware events for guests and VMs with a mediated vPMU shut each "
			   "other out: load kvm_intel or kvm_amd with enable_mediated_pmu=0.");
}

void check_watchdog(struct finding *finding)
{
	int64_t on;

	if (read_number("/proc/sys/kernel/nmi_watchdog", &on) != 0) {
		finding_set(finding, VERDICT_OK, "none");
		return;
	}
	finding_set(finding, on ? VERDICT_LIMITED : VERDICT_OK, on ? "on" : "off");
	if (on)
		finding_set_remedy(finding, "It holds a counter of every CPU: sysctl "
					    "kernel.nmi_watchdog=0 gives it back.");
}

/* A vCPU with the default profile takes 16; the VMM needs some of its own. */
void check_descriptors(struct finding *finding)
{
	struct rlimit limit;
	char text[160];

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		finding->verdict = VERDICT_UNKNOWN;
		return;
	}
	finding_set_number(finding, limit.rlim_cur < 4096 ? VERDICT_LIMITED : VERDICT_OK,
			   (uint64_t)limit.rlim_cur);
	if (limit.rlim_cur >= 4096)
		return;
	snprintf(text, sizeof(text),
		 "Enough for about %" PRIu64 " vCPUs with 16 events each: raise it (ulimit -n, "
		 "LimitNOFILE=) for more.",
		 (uint64_t)limit.rlim_cur / 20);
	finding_set_remedy(finding, text);
}

static void check_file_number(struct finding *finding, const char *path)
{
	int64_t number;

	if (read_number(path, &number) == 0 && number >= 0)
		finding_set_number(finding, VERDICT_OK, (uint64_t)number);
	else
		finding->verdict = VERDICT_UNKNOWN;
}

void check_locked_memory(struct finding *finding)
{
	check_file_number(finding, "/proc/sys/kernel/perf_event_mlock_kb");
}

/* A quarter of the kernel's rate is what the interrupts of a vCPU may come to without any event
 * being throttled. */
#define SAMPLES_PER_INTERRUPT 4u

void check_sample_rate(struct finding *finding)
{
	struct vpmu_profile profile;

	check_file_number(finding, "/proc/sys/kernel/perf_event_max_sample_rate");
	vpmu_profile_default(&profile);
	if (finding->verdict != VERDICT_OK ||
	    strtoull(finding->value, NULL, 10) / SAMPLES_PER_INTERRUPT >= profile.pmi_rate)
		return;
	finding->verdict = VERDICT_LIMITED;
	finding_set_remedy(
		finding,
		"An event that overflows more often stands still for a tick, and nobody is "
		"told. Raise kernel.perf_event_max_sample_rate to four times the pmi_rate of "
		"the profiles (10000 unless they say otherwise), or lower that.");
}

#ifdef WITH_LIBPFM
void check_event_names(struct finding *finding)
{
	int usable = pfm_initialize() == PFM_SUCCESS;

	finding_set(finding, usable ? VERDICT_OK : VERDICT_LIMITED,
		    usable ? "libpfm4" : "libpfm4 does not start");
	if (usable)
		pfm_terminate();
}
#else
void check_event_names(struct finding *finding)
{
	finding_set(finding, VERDICT_LIMITED, "built without libpfm4");
	finding_set_remedy(finding,
			   "Raw events are given as numbers; generic events have names all the "
			   "same.");
}
#endif
