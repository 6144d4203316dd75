/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* A VM as an image, whoever carries it. */
#include <string.h>

#include <vpmu/image.h>

#include "attach_vm.h"

static uint32_t architecture_of(const char *target)
{
	static const struct {
		const char *target;
		uint32_t architecture;
	} known[] = {
		{ "x86_64", VPMU_ARCHITECTURE_X86 },
		{ "aarch64", VPMU_ARCHITECTURE_ARM },
		{ "riscv64", VPMU_ARCHITECTURE_RISCV },
		{ "loongarch64", VPMU_ARCHITECTURE_LOONGARCH },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].target, target) == 0)
			return known[i].architecture;
	return VPMU_ARCHITECTURE_OTHER;
}

static struct vpmu_image_platform platform_of(const struct attach_vm *vm)
{
	return (struct vpmu_image_platform){
		.size = sizeof(struct vpmu_image_platform),
		.architecture = architecture_of(vm->target),
		.transport = VPMU_TRANSPORT_MAILBOX,
	};
}

void attach_image_stop(struct attach_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].pmu)
			vpmu_vcpu_stop(vm->vcpu[i].pmu);
}

/* The guest may run as soon as this is done, so what is still to be opened is opened here. */
void attach_image_resume(struct attach_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		if (!vm->vcpu[i].pmu)
			continue;
		vpmu_vcpu_resume(vm->vcpu[i].pmu);
		vpmu_vcpu_enter(vm->vcpu[i].pmu);
	}
}

const char *attach_image_save(struct attach_vm *vm, unsigned char *image, uint64_t capacity,
			      uint64_t *length)
{
	struct vpmu_image_platform platform = platform_of(vm);
	struct vpmu_image_options options = { .size = sizeof(options), .platform = &platform };
	int error = vpmu_vm_save(vm->pmu, &options, image, capacity, length);

	return error ? vpmu_error_text(error) : NULL;
}

static const char *prove(struct attach_vm *vm, const unsigned char *image, uint64_t length)
{
	struct vpmu_image_platform platform = platform_of(vm);
	struct vpmu_source_facts facts = { .size = sizeof(facts) };
	struct vpmu_image_options options = {
		.size = sizeof(options),
		.platform = &platform,
		.missing = VPMU_IMAGE_DEGRADE,
	};
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	int error;

	if (attach_source_ops(vm->source)->probe(attach_source_opaque(vm->source), &facts) == 0)
		options.facts = &facts;
	error = vpmu_vm_load(vm->pmu, image, length, &options, &fault);
	if (!error)
		return NULL;
	return fault.fault ? fault.text : vpmu_error_text(error);
}

static const char *commit_all(struct attach_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++) {
		int error = vm->vcpu[i].pmu ? vpmu_vcpu_commit(vm->vcpu[i].pmu, 0) : 0;

		if (error)
			return vpmu_error_text(error);
	}
	return NULL;
}

static void give_up(struct attach_vm *vm)
{
	for (uint32_t i = 0; i < vm->vcpus; i++)
		if (vm->vcpu[i].pmu)
			vpmu_vcpu_abort(vm->vcpu[i].pmu);
	vpmu_vm_abort(vm->pmu);
}

const char *attach_image_load(struct attach_vm *vm, const unsigned char *image, uint64_t length)
{
	const char *why = prove(vm, image, length);

	if (why)
		return why;
	why = commit_all(vm);
	if (why)
		give_up(vm);
	return why;
}
