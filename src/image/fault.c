/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* How an image is refused, with the place. */

#include "prove.h"

int vpmu_image_fault_start(struct vpmu_image_fault *fault)
{
	uint64_t size;

	if (!fault)
		return 0;
	size = fault->size;
	if (size < sizeof(*fault))
		return VPMU_ERROR_INVALID;
	*fault = (struct vpmu_image_fault){
		.size = size,
		.record = VPMU_IMAGE_NOWHERE,
		.vcpu = VPMU_IMAGE_NOWHERE,
		.slot = VPMU_IMAGE_NOWHERE,
		.word = "",
		.text = "",
	};
	return 0;
}

int vpmu_image_refuse(struct vpmu_image_fault *fault, const struct vpmu_image_fault *told)
{
	if (fault) {
		uint64_t size = fault->size;

		*fault = *told;
		fault->size = size;
	}
	return told->fault == VPMU_IMAGE_FAULT_NEWER ? VPMU_ERROR_NEWER : VPMU_ERROR_IMAGE;
}

int vpmu_image_refuse_header(struct vpmu_image_fault *fault, uint32_t kind, uint32_t word,
			     const char *text)
{
	const struct vpmu_image_fault told = {
		.fault = kind,
		.record = VPMU_IMAGE_NOWHERE,
		.offset = (uint64_t)word * VPMU_WORD_BYTES,
		.vcpu = VPMU_IMAGE_NOWHERE,
		.slot = VPMU_IMAGE_NOWHERE,
		.word = vpmu_image_name(VPMU_NAMES_IMAGE_HEADER, word),
		.text = text,
	};

	return vpmu_image_refuse(fault, &told);
}

int vpmu_image_refuse_vm(struct vpmu_image_fault *fault, uint32_t kind, uint32_t word,
			 const char *text)
{
	const struct vpmu_image_fault told = {
		.fault = kind,
		.record = 0,
		.offset = VPMU_VM_OFFSET + (uint64_t)word * VPMU_WORD_BYTES,
		.vcpu = VPMU_IMAGE_NOWHERE,
		.slot = VPMU_IMAGE_NOWHERE,
		.word = vpmu_image_name(VPMU_NAMES_IMAGE_VM, word),
		.text = text,
	};

	return vpmu_image_refuse(fault, &told);
}
