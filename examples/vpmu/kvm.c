/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* What the host's KVM offers to a VMM that embeds the library. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tool.h"

/* KVM_CHECK_EXTENSION; an older linux/kvm.h would set a limit to what can be asked. */
#define CHECK_EXTENSION _IO(0xAE, 0x03)

struct extension {
	unsigned long number;
	const char *name;
};

static int kvm_open(void)
{
	return open("/dev/kvm", O_RDWR | O_CLOEXEC);
}

void check_kvm(struct finding *finding)
{
	int kvm = kvm_open();

	if (kvm >= 0) {
		close(kvm);
		finding_set(finding, VERDICT_OK, "usable");
		return;
	}
	finding_set(finding, VERDICT_NO, strerror(errno));
	finding_set_remedy(finding,
			   errno == EACCES ?
				   "Add the VMM's user to the group that owns /dev/kvm." :
				   "Load kvm_intel or kvm_amd, or turn virtualization on in "
				   "the firmware; in a VM, ask for nested virtualization.");
}

/* Lists which of the extensions there are. */
static void check_extensions(struct finding *finding, const struct extension *extensions,
			     unsigned int count, const char *remedy)
{
	unsigned int found = 0;
	int kvm = kvm_open();

	finding->kind = KIND_WORDS;
	finding->verdict = VERDICT_UNKNOWN;
	if (kvm < 0)
		return;
	for (unsigned int i = 0; i < count; i++) {
		if (ioctl(kvm, CHECK_EXTENSION, extensions[i].number) <= 0)
			continue;
		finding_add_word(finding, extensions[i].name);
		found++;
	}
	close(kvm);
	finding->verdict = found == count ? VERDICT_OK : found ? VERDICT_LIMITED : VERDICT_NO;
	if (found < count)
		finding_set_remedy(finding, remedy);
}

void check_kvm_registers(struct finding *finding)
{
	static const struct extension needed[] = {
		{ 188, "x86_user_space_msr" },
		{ 189, "x86_msr_filter" },
	};

	check_extensions(finding, needed, 2,
			 "Virtual MSRs need both (x86, Linux 5.10): use the MMIO window instead.");
}

void check_kvm_notices(struct finding *finding)
{
	static const struct extension needed[] = { { 136, "immediate_exit" } };

	check_extensions(finding, needed, 1,
			 "Block the signal outside KVM_RUN with KVM_SET_SIGNAL_MASK instead of "
			 "handling it.");
}

void check_kvm_interrupts(struct finding *finding)
{
	static const struct extension needed[] = { { 22, "user_nmi" }, { 77, "signal_msi" } };

	check_extensions(finding, needed, 2,
			 "Without user_nmi a PMI cannot be an NMI, without signal_msi it needs an "
			 "interrupt controller in the VMM.");
}

void check_kvm_pmu(struct finding *finding)
{
	static const struct extension wanted[] = {
		{ 212, "pmu_capability" },
		{ 173, "pmu_event_filter" },
		{ 226, "pmu_event_masked_events" },
	};

	char enabled[8];

	check_extensions(finding, wanted, 3,
			 "Where the in-kernel vPMU cannot be switched off or filtered, hide it in "
			 "CPUID: two owners would share the counters.");
	if (finding->verdict == VERDICT_UNKNOWN || finding->verdict == VERDICT_OK ||
	    host_read("/sys/module/kvm/parameters/enable_pmu", enabled, sizeof(enabled)) != 0 ||
	    enabled[0] != 'N')
		return;
	finding->verdict = VERDICT_OK;
	finding_set_remedy(finding,
			   "KVM gives no vPMU on this host (enable_pmu=N): there is nothing "
			   "to switch off.");
}
