/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* Images in words: descriptions and differences. */

#include <string.h>

#include "unit/image_fixture.h"

struct text {
	char bytes[65536];
	uint64_t length;
	uint32_t pieces;
	uint32_t last; /* write returns `result` at this piece */
	int result;
};

static struct text text;

static int take(void *opaque, const char *piece, uint64_t length)
{
	struct text *to = opaque;

	CHECK(length && to->length + length < sizeof(to->bytes));
	memcpy(to->bytes + to->length, piece, (size_t)length);
	to->length += length;
	to->bytes[to->length] = '\0';
	return ++to->pieces == to->last ? to->result : 0;
}

static int describe(const struct image *image, uint32_t form)
{
	text.length = 0;
	text.pieces = 0;
	return vpmu_image_describe(image->bytes, image->length, form, take, &text, NULL);
}

static int differ(const struct image *before, const struct image *after, uint32_t form)
{
	text.length = 0;
	text.pieces = 0;
	text.bytes[0] = '\0';
	return vpmu_image_diff(before->bytes, before->length, after->bytes, after->length, form,
			       take, &text, NULL);
}

static const char first_part[] = "kind STATE\nversion 1\nreader 1\nbytes 1328\nchecksum 0x";
static const char vm_part[] =
	"vm\n"
	"  features 0x1f AREA PMI_NMI PMI_VECTOR RAW HOST_SOFTWARE\n"
	"  limits 0x8000400408\n"
	"  period_floor 0x64\n"
	"  pmu_model 0x7\n"
	"  hardware_events 0x7fe CYCLES INSTRUCTIONS CACHE_REFERENCES CACHE_MISSES BRANCHES "
	"BRANCH_MISSES BUS_CYCLES STALLED_FRONTEND STALLED_BACKEND REF_CYCLES\n"
	"  software_events 0x3fe CPU_CLOCK TASK_CLOCK PAGE_FAULTS CONTEXT_SWITCHES CPU_MIGRATIONS "
	"MINOR_FAULTS MAJOR_FAULTS ALIGNMENT_FAULTS EMULATION_FAULTS\n"
	"  cache_events 0x1\n"
	"  transport 0x1 MSR\n"
	"  base 0x4b565000\n";
static const char vcpu_part[] = "vcpu 3\n"
				"  registers\n"
				"    EPOCH 0x5\n"
				"    AREA 0x1001\n"
				"    AREA_STATE 0x1 ON\n"
				"    PMI 0x1 NMI\n"
				"    PMI_LINE 0x2 RAISED\n"
				"    PMI_SEQUENCE 0x2\n"
				"    OPENED 0x4f\n"
				"    ENABLED 0x47\n"
				"    PENDING 0x1\n"
				"  slot 0\n"
				"    type 0x1 HARDWARE\n"
				"    config 0x2 INSTRUCTIONS\n"
				"    sample_period 0x3e8\n"
				"    flags 0x4 PMI\n"
				"    cookie 0x4d\n"
				"    status 0x9000300000006 PARTIAL NONE MULTIPLEXED LOWER_BOUND\n";
static const char last_part[] = "vcpu 9\n"
				"  registers\n"
				"    EPOCH 0x5\n"
				"  bank X86_PMU index 0x38f value 0x70000000f\n"
				"  bank X86_PMU index 0xc1 value 0x7b\n"
				"optional_records 1\n";

static void people_read_lines(void)
{
	struct image image;

	image_whole(&image, 1);
	CHECK_EQ(describe(&image, VPMU_IMAGE_TEXT), 0);
	CHECK(!strncmp(text.bytes, first_part, strlen(first_part)));
	CHECK(strstr(text.bytes, vm_part));
	CHECK(strstr(text.bytes, vcpu_part));
	CHECK(strstr(text.bytes, "    config 0x10100 L1D WRITE MISS\n"));
	CHECK(strstr(text.bytes, "    config 0x3 PAGE_FAULTS\n"));
	CHECK(strstr(text.bytes, "    config 0xc0\n"));
	CHECK(strstr(text.bytes, "  slot 5\n    status 0x10000000006 CLOSED DENIED\n"));
	CHECK_STR(text.bytes + text.length - strlen(last_part), last_part);
	image_whole(&image, 2);
	CHECK_EQ(describe(&image, VPMU_IMAGE_TEXT), 0);
	CHECK(strstr(text.bytes, "    overflows 0x2\n"));
}

/* Brackets that match, outside of strings, and commas between elements alone. */
static void check_json(void)
{
	char open[16];
	uint32_t depth = 0;
	int quoted = 0;
	char before = '\0';

	for (uint64_t i = 0; i < text.length; i++) {
		char c = text.bytes[i];

		if (c == '"')
			quoted = !quoted;
		if (quoted || c == ' ' || c == '\n')
			continue;
		if (c == '{' || c == '[') {
			CHECK(depth < sizeof(open));
			open[depth++] = c;
		} else if (c == '}' || c == ']') {
			CHECK(depth && before != ',');
			CHECK_EQ(open[--depth], c == '}' ? '{' : '[');
		} else if (c == ',') {
			CHECK(depth && before != ',' && before != '{' && before != '[');
		}
		before = c;
	}
	CHECK_EQ(depth, 0);
	CHECK_EQ(quoted, 0);
	CHECK_EQ(text.bytes[text.length - 1], '\n');
}

static void programs_read_json(void)
{
	struct image image;

	image_whole(&image, 2);
	CHECK_EQ(describe(&image, VPMU_IMAGE_JSON), 0);
	check_json();
	CHECK(strstr(text.bytes, "\"architecture\": \"X86\""));
	CHECK(strstr(text.bytes, "\"EPOCH_REASON\": \"0x0\""));
	CHECK(strstr(text.bytes, "\"EPOCH_REASON_names\": [\"START\"]"));
	CHECK(strstr(text.bytes, "\"config_names\": [\"L1D\", \"WRITE\", \"MISS\"]"));
	CHECK(strstr(text.bytes, "\"count\": \"0x1388\""));
	CHECK(strstr(text.bytes, "\"optional_records\": 1"));
	image_small(&image, 1);
	CHECK_EQ(describe(&image, VPMU_IMAGE_JSON), 0);
	check_json();
	CHECK(!strstr(text.bytes, "pairs"));
}

static void descriptions_end_when_asked_to(void)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct image image;

	image_whole(&image, 1);
	for (uint32_t last = 1; last < 6; last++) {
		text.last = last;
		text.result = 5;
		CHECK_EQ(describe(&image, VPMU_IMAGE_JSON), 5);
		CHECK_EQ(text.pieces, last);
	}
	text.last = 0;
	CHECK_EQ(describe(&image, 2), VPMU_ERROR_INVALID);
	told.size = 4;
	CHECK_EQ(vpmu_image_describe(image.bytes, image.length, 0, take, &text, &told),
		 VPMU_ERROR_INVALID);
	image.bytes[80] ^= 1;
	CHECK_EQ(describe(&image, 0), VPMU_ERROR_IMAGE);
	CHECK_EQ(text.pieces, 0);
}

static void same_images_do_not_differ(void)
{
	struct image image;

	image_whole(&image, 1);
	CHECK_EQ(differ(&image, &image, VPMU_IMAGE_TEXT), 0);
	CHECK_STR(text.bytes, "");
	CHECK_EQ(differ(&image, &image, VPMU_IMAGE_JSON), 0);
	check_json();
}

static void differences_are_told_word_by_word(void)
{
	struct image before, after;

	image_whole(&before, 1);
	image_whole(&after, 1);
	image_set(&after, 40, 8);
	image_set(&after, image_at(&after, WHOLE_VM, 9), 4);
	image_set(&after, image_at(&after, WHOLE_VCPU, 0), 6);
	image_set(&after, image_at(&after, WHOLE_PLAIN_EVENT, 1), 1501);
	image_set(&after, image_at(&after, WHOLE_BANK, 3), 124);
	image_set(&after, image_at(&after, WHOLE_OPTIONAL, 1), 43);
	image_mend(&after);
	CHECK_EQ(differ(&before, &after, VPMU_IMAGE_TEXT), 6);
	CHECK_STR(text.bytes, "word may before 0x0 after 0x8\n"
			      "word line before 0x0 after 0x4\n"
			      "vcpu 3 word EPOCH before 0x5 after 0x6\n"
			      "vcpu 3 slot 6 word count before 0x5dc after 0x5dd\n"
			      "vcpu 9 word value before 0x7b after 0x7c\n"
			      "word optional_records\n");
	CHECK_EQ(differ(&before, &after, VPMU_IMAGE_JSON), 6);
	check_json();
	CHECK(strstr(text.bytes, "\"slot\": 6,"));
}

static void other_shapes_differ_too(void)
{
	struct image before, after;

	image_whole(&before, 1);
	image_small(&after, 2);
	CHECK_EQ(differ(&before, &after, VPMU_IMAGE_TEXT), 1 + 1 + 2 + 5 + 1);
	CHECK(strstr(text.bytes, "vcpu 3 slot 0 word overflows before 0x0 after 0x2\n"));
	CHECK(strstr(text.bytes, "vcpu 9 word pairs before 0x2 after 0x0\n"));
	CHECK(strstr(text.bytes, "vcpu 9 word index before 0x38f after 0x0\n"));
	CHECK_EQ(differ(&after, &before, VPMU_IMAGE_TEXT), 10);
	CHECK(strstr(text.bytes, "vcpu 3 slot 0 word overflows before 0x2 after 0x0\n"));
	CHECK(strstr(text.bytes, "vcpu 9 word index before 0x0 after 0x38f\n"));
	/* A vCPU of one of them alone, in the middle and at the end. */
	image_whole(&after, 1);
	image_set(&after, image_at(&after, WHOLE_SECOND, VCPU_WORD), 10);
	image_set(&after, image_at(&after, WHOLE_BANK, VCPU_WORD), 10);
	image_mend(&after);
	CHECK_EQ(differ(&before, &after, VPMU_IMAGE_TEXT), 2);
	CHECK_STR(text.bytes, "vcpu 9 word vcpu only before\nvcpu 10 word vcpu only after\n");
	CHECK_EQ(differ(&after, &before, VPMU_IMAGE_TEXT), 2);
	CHECK_STR(text.bytes, "vcpu 9 word vcpu only after\nvcpu 10 word vcpu only before\n");
	image_begin(&after);
	image_add(&after, VPMU_RECORD_VM | 10ull << 32, 0,
		  (const uint64_t[]){ 0x1f, 8 | 4 << 8 | 64 << 16 | 128ull << 32, 100, 7, 0x7fe,
				      0x3fe, 1, VPMU_TRANSPORT_MSR, VPMU_MSR_BASE, 0 });
	image_finish(&after, VPMU_ARCHITECTURE_X86, 1, 0, 0, 2);
	CHECK_EQ(differ(&before, &after, VPMU_IMAGE_TEXT), 4);
	CHECK_EQ(differ(&after, &before, VPMU_IMAGE_TEXT), 4);
}

static void wrong_images_have_no_difference(void)
{
	struct vpmu_image_fault told = { .size = sizeof(told) };
	struct image image, wrong;

	image_whole(&image, 1);
	wrong = image;
	wrong.bytes[70] ^= 1;
	CHECK_EQ(differ(&wrong, &image, 0), VPMU_ERROR_IMAGE);
	CHECK_EQ(differ(&image, &wrong, 0), VPMU_ERROR_IMAGE);
	CHECK_EQ(differ(&image, &image, 2), VPMU_ERROR_INVALID);
	told.size = 3;
	CHECK_EQ(vpmu_image_diff(image.bytes, image.length, image.bytes, image.length, 0, take,
				 &text, &told),
		 VPMU_ERROR_INVALID);
	/* What write returns ends it: an error is returned as it is. */
	text.last = 1;
	text.result = 3;
	CHECK_EQ(differ(&image, &image, VPMU_IMAGE_JSON), VPMU_ERROR_STATE);
	text.result = VPMU_ERROR_SYSTEM;
	CHECK_EQ(differ(&image, &image, VPMU_IMAGE_JSON), VPMU_ERROR_SYSTEM);
	text.last = 0;
}

const struct test_case test_cases[] = {
	{ "describe", "people read lines", people_read_lines },
	{ "describe", "programs read JSON", programs_read_json },
	{ "describe", "descriptions end when asked to", descriptions_end_when_asked_to },
	{ "diff", "same images do not differ", same_images_do_not_differ },
	{ "diff", "differences are told word by word", differences_are_told_word_by_word },
	{ "diff", "other shapes differ too", other_shapes_differ_too },
	{ "diff", "wrong images have no difference", wrong_images_have_no_difference },
};
const unsigned int test_case_count = TEST_COUNT(test_cases);
