/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The header: R-IMG-1 to R-IMG-6 of abi/IMAGE.md, in their order. */

#include "crc32c.h"
#include "prove.h"

#define HEADER(name) VPMU_IMAGE_HEADER_WORD_##name
#define KNOWN_MUST (VPMU_IMAGE_MUST_X86_PMU | VPMU_IMAGE_MUST_LOONGARCH_PMU)
#define CHECKSUM_OFFSET 20u
#define CHECKSUM_BYTES 4u

int vpmu_image_identify(const unsigned char *image, uint64_t length, struct vpmu_image_info *info,
			struct vpmu_image_fault *fault)
{
	uint64_t format, size, vm, counts;

	if (length < VPMU_IMAGE_HEADER_BYTES)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_SHORT, HEADER(MAGIC),
						"fewer bytes than a header has");
	if (vpmu_image_header_word(image, HEADER(MAGIC)) != VPMU_IMAGE_MAGIC)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_MAGIC, HEADER(MAGIC),
						"not an image");
	format = vpmu_image_header_word(image, HEADER(FORMAT));
	size = vpmu_image_header_word(image, HEADER(SIZE));
	vm = vpmu_image_header_word(image, HEADER(VM));
	counts = vpmu_image_header_word(image, HEADER(COUNTS));
	*info = (struct vpmu_image_info){
		.size = sizeof(*info),
		.bytes = VPMU_FIELD(size, HEADER_SIZE_BYTES),
		.version = (uint32_t)VPMU_FIELD(format, HEADER_FORMAT_VERSION),
		.reader = (uint32_t)VPMU_FIELD(format, HEADER_FORMAT_READER),
		.kind = (uint32_t)VPMU_FIELD(format, HEADER_FORMAT_KIND),
		.architecture = (uint32_t)VPMU_FIELD(vm, HEADER_VM_ARCHITECTURE),
		.level = (uint32_t)VPMU_FIELD(vm, HEADER_VM_LEVEL),
		.vcpus = (uint32_t)VPMU_FIELD(counts, HEADER_COUNTS_VCPUS),
		.records = (uint32_t)VPMU_FIELD(counts, HEADER_COUNTS_RECORDS),
		.checksum = (uint32_t)VPMU_FIELD(size, HEADER_SIZE_CHECKSUM),
		.must = vpmu_image_header_word(image, HEADER(MUST)),
		.may = vpmu_image_header_word(image, HEADER(MAY)),
	};
	return 0;
}

/* R-IMG-2. */
static int prove_reader(const struct vpmu_image_info *info, struct vpmu_image_fault *fault)
{
	if (info->reader > VPMU_IMAGE_FORMAT)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_NEWER, HEADER(FORMAT),
						"needs a reader of a newer format version");
	if (info->level > VPMU_LEVEL_DRAFT)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_NEWER, HEADER(VM),
						"has an ABI level that this library does not know");
	if (info->must & ~KNOWN_MUST)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_NEWER, HEADER(MUST),
						"needs a feature that this library does not know");
	return 0;
}

static uint32_t checksum(const unsigned char *image, uint64_t length)
{
	static const unsigned char zero[CHECKSUM_BYTES];
	const uint64_t rest = CHECKSUM_OFFSET + CHECKSUM_BYTES;
	uint32_t state = vpmu_crc32c_more(UINT32_MAX, image, CHECKSUM_OFFSET);

	state = vpmu_crc32c_more(state, zero, sizeof(zero));
	return ~vpmu_crc32c_more(state, image + rest, length - rest);
}

/* R-IMG-3 and R-IMG-4. */
static int prove_size(const unsigned char *image, uint64_t length,
		      const struct vpmu_image_info *info, struct vpmu_image_fault *fault)
{
	if (length < info->bytes)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_SHORT, HEADER(SIZE),
						"fewer bytes than the header says");
	if (length > info->bytes)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_LONG, HEADER(SIZE),
						"more bytes than the header says");
	if (length > VPMU_IMAGE_MAX_BYTES)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_LONG, HEADER(SIZE),
						"more bytes than any image may have");
	if (checksum(image, length) != info->checksum)
		return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_CHECKSUM, HEADER(SIZE),
						"the checksum is not that of the bytes");
	return 0;
}

static int bad(struct vpmu_image_fault *fault, uint32_t index, const char *text)
{
	return vpmu_image_refuse_header(fault, VPMU_IMAGE_FAULT_HEADER, index, text);
}

/* R-IMG-5. */
static int prove_ranges(const unsigned char *image, const struct vpmu_image_info *info,
			struct vpmu_image_fault *fault)
{
	uint64_t format = vpmu_image_header_word(image, HEADER(FORMAT));

	if (VPMU_FIELD(format, HEADER_FORMAT_HEADER) != VPMU_IMAGE_HEADER_BYTES)
		return bad(fault, HEADER(FORMAT), "a header has 64 bytes");
	if (!info->reader)
		return bad(fault, HEADER(FORMAT), "there is no reader 0");
	if (info->version < info->reader)
		return bad(fault, HEADER(FORMAT), "the version is below its oldest reader");
	if (info->kind > VPMU_IMAGE_KIND_CONFIGURATION)
		return bad(fault, HEADER(FORMAT), "there is no such kind of image");
	if (info->bytes % VPMU_WORD_BYTES)
		return bad(fault, HEADER(SIZE), "an image is made of whole words");
	if (!info->architecture || info->architecture > VPMU_ARCHITECTURE_OTHER)
		return bad(fault, HEADER(VM), "there is no such architecture");
	if (!info->level)
		return bad(fault, HEADER(VM), "there is no level 0");
	if (info->vcpus > VPMU_IMAGE_MAX_VCPUS)
		return bad(fault, HEADER(COUNTS), "more vCPUs than any image may have");
	if (vpmu_image_header_word(image, HEADER(RESERVED)))
		return bad(fault, HEADER(RESERVED), "a reserved word is not 0");
	return 0;
}

int vpmu_image_header_prove(const unsigned char *image, uint64_t length,
			    struct vpmu_image_info *info, struct vpmu_image_fault *fault)
{
	int error = vpmu_image_identify(image, length, info, fault);

	if (!error)
		error = prove_reader(info, fault);
	if (!error)
		error = prove_size(image, length, info, fault);
	return error ? error : prove_ranges(image, info, fault);
}

int vpmu_image_header_settle(const struct vpmu_image_info *info, uint32_t records, uint32_t vcpus,
			     uint64_t must, struct vpmu_image_fault *fault)
{
	if (info->records != records)
		return bad(fault, HEADER(COUNTS), "not as many records as the header says");
	if (info->vcpus != vcpus)
		return bad(fault, HEADER(COUNTS), "not as many vCPUs as the header says");
	if (info->must != must)
		return bad(fault, HEADER(MUST), "not the banks that the header says");
	return 0;
}
