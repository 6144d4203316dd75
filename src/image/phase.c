/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of a save or a load, and the image that a load keeps. */

#include "phase.h"
#include "src/sized.h"

static int take_bank(struct vpmu_phase *phase)
{
	const struct vpmu_image_bank *bank = &phase->bank;
	int error;

	if (!phase->options.bank)
		return 0;
	error = vpmu_sized_copy(&phase->bank, sizeof(*bank), phase->options.bank);
	if (error < 0)
		return error;
	if (!bank->save || !bank->check || !bank->load || bank->reserved)
		return VPMU_ERROR_INVALID;
	return bank->bank == VPMU_IMAGE_BANK_X86_PMU ||
			       bank->bank == VPMU_IMAGE_BANK_LOONGARCH_PMU ?
		       0 :
		       VPMU_ERROR_INVALID;
}

static bool platform_is_one(const struct vpmu_image_platform *platform)
{
	return platform->architecture >= VPMU_ARCHITECTURE_X86 &&
	       platform->architecture <= VPMU_ARCHITECTURE_OTHER &&
	       platform->transport >= VPMU_TRANSPORT_MSR &&
	       platform->transport <= VPMU_TRANSPORT_MAILBOX && !platform->reserved &&
	       (platform->transport != VPMU_TRANSPORT_CALL || !platform->base);
}

int vpmu_phase_take(struct vpmu_phase *phase, const struct vpmu_image_options *caller)
{
	struct vpmu_image_options *options = &phase->options;
	int error;

	if (!caller)
		return VPMU_ERROR_INVALID;
	*phase = (struct vpmu_phase){ 0 };
	error = vpmu_sized_copy(options, sizeof(*options), caller);
	if (error < 0)
		return error;
	if (!options->platform || options->missing > VPMU_IMAGE_STUB || options->accept_loss > 1 ||
	    options->keep_unknown > 1 || options->lent > 1 || options->reserved)
		return VPMU_ERROR_INVALID;
	error = vpmu_sized_copy(&phase->platform, sizeof(phase->platform), options->platform);
	if (error >= 0 && options->facts)
		error = vpmu_sized_copy(&phase->facts, sizeof(phase->facts), options->facts);
	if (error >= 0)
		error = take_bank(phase);
	if (error < 0)
		return error;
	return platform_is_one(&phase->platform) ? 0 : VPMU_ERROR_INVALID;
}

struct vpmu_image_target vpmu_phase_target(const struct vpmu_phase *phase, const struct vpmu_vm *vm)
{
	return (struct vpmu_image_target){
		.size = sizeof(struct vpmu_image_target),
		.profile = &vm->granted,
		.platform = &phase->platform,
		.facts = phase->options.facts ? &phase->facts : NULL,
		.missing = phase->options.missing,
	};
}

void vpmu_loaded_free(struct vpmu_vm *vm)
{
	struct vpmu_loaded *loaded = vm->loaded;

	if (!loaded)
		return;
	vm->loaded = NULL;
	vm->host.release(vm->host_opaque, loaded, vm->loaded_size);
}
