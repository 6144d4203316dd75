/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu image: images of any architecture, as files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vpmu/convert.h>

#include "image.h"

/* What diff ends with, as diff(1). */
enum { DIFF_SAME = 0, DIFF_DIFFERS = 1, DIFF_TROUBLE = 2 };

struct options {
	const char *command;
	const char *files[2];
	int file_count;
	const char *profile;
	const char *facts;
	const char *missing;
	const char *level;
	const char *output;
	int accept_loss;
	int json;
};

static int help(void)
{
	printf("Usage: vpmu image dump FILE [--json]\n"
	       "       vpmu image check FILE [--profile P] [--facts H [--missing M]] [--json]\n"
	       "       vpmu image diff BEFORE AFTER [--json]\n"
	       "       vpmu image convert FILE --level N --output OUT [--accept-loss] [--json]\n\n"
	       "  dump     says what is in an image\n"
	       "  check    says whether an image is right, and how its open events will fare\n"
	       "  diff     says which words differ; ends with 0 where none do, 1 where some\n"
	       "           do, 2 where that could not be found out\n"
	       "  convert  writes an image for the same or a lower ABI level\n\n"
	       "  --profile P    the destination's profile: what `vpmu baseline --json` printed\n"
	       "  --facts H      the destination's host: what `vpmu probe --json` printed there\n"
	       "  --missing M    what becomes of events that it cannot count: strict (the image is\n"
	       "                 refused), degrade or stub\n"
	       "  --level N      the ABI level to convert to\n"
	       "  --output OUT   the file to write\n"
	       "  --accept-loss  words that the lower level has not may be lost\n"
	       "  --json         for programs\n"
	       "  --help         this text\n");
	return TOOL_DONE;
}

static int put(void *opaque, const char *text, uint64_t length)
{
	return fwrite(text, 1, (size_t)length, opaque) != length;
}

static void print_number(const char *key, uint32_t number)
{
	if (number == VPMU_IMAGE_NOWHERE)
		printf(", \"%s\": null", key);
	else
		printf(", \"%s\": %" PRIu32, key, number);
}

static const char *const remedies[] = {
	[VPMU_IMAGE_FAULT_SHORT] = "The file was cut off: copy it again.",
	[VPMU_IMAGE_FAULT_MAGIC] = "Give a file that holds an image and nothing before it.",
	[VPMU_IMAGE_FAULT_NEWER] = "Use a newer version of vpmu, or have the image written for an "
				   "older level.",
	[VPMU_IMAGE_FAULT_LONG] = "Something follows the image: copy it again.",
	[VPMU_IMAGE_FAULT_CHECKSUM] = "It was damaged on its way: copy it again.",
	[VPMU_IMAGE_FAULT_PROFILE] = "Make the destination's VM with a profile that grants it; "
				     "vpmu baseline says what several hosts can grant.",
	[VPMU_IMAGE_FAULT_PLATFORM] = "Give the destination's VM the same.",
	[VPMU_IMAGE_FAULT_EVENT] = "Choose a host that counts it, or --missing degrade or stub.",
};

static const char *remedy(uint32_t fault)
{
	if (fault < sizeof(remedies) / sizeof(remedies[0]) && remedies[fault])
		return remedies[fault];
	return "No version of vpmu writes that: have the image saved again.";
}

static const char *advice_of(int error, const struct vpmu_image_fault *fault)
{
	if (fault->fault)
		return remedy(fault->fault);
	return error == VPMU_ERROR_STATE ? "Something would be lost; --accept-loss allows that." :
					   "See vpmu image --help.";
}

static void print_refusal(const struct vpmu_image_fault *fault, const char *text,
			  const char *advice)
{
	printf("{\n  \"verdict\": \"refused\", \"fault\": %" PRIu32, fault->fault);
	print_number("record", fault->record);
	printf(", \"offset\": %" PRIu64, fault->offset);
	print_number("vcpu", fault->vcpu);
	print_number("slot", fault->slot);
	printf(", \"word\": \"%s\",\n  \"text\": ", fault->word);
	print_quoted(text, strlen(text));
	printf(",\n  \"remedy\": ");
	print_quoted(advice, strlen(advice));
	printf("\n}\n");
}

/* Says on stderr, or in JSON, why an image is refused. */
static int refused(const char *path, int error, const struct vpmu_image_fault *fault, int json)
{
	const char *text = fault->text[0] ? fault->text : vpmu_error_text(error);
	const char *advice = advice_of(error, fault);

	if (json) {
		print_refusal(fault, text, advice);
		return TOOL_FAILED;
	}
	fprintf(stderr, "vpmu: %s: %s", path, text);
	if (fault->word[0])
		fprintf(stderr, " (byte %" PRIu64 ", word %s", fault->offset, fault->word);
	if (fault->word[0] && fault->record != VPMU_IMAGE_NOWHERE)
		fprintf(stderr, ", record %" PRIu32, fault->record);
	if (fault->vcpu != VPMU_IMAGE_NOWHERE)
		fprintf(stderr, ", vCPU %" PRIu32, fault->vcpu);
	if (fault->slot != VPMU_IMAGE_NOWHERE)
		fprintf(stderr, ", slot %" PRIu32, fault->slot);
	fprintf(stderr, "%s. %s\n", fault->word[0] ? ")" : "", advice);
	return TOOL_FAILED;
}

static uint32_t form_of(const struct options *options)
{
	return options->json ? VPMU_IMAGE_JSON : VPMU_IMAGE_TEXT;
}

static int dump(const struct options *options)
{
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	struct file file;
	int error;

	if (file_read(&file, options->files[0]) != 0)
		return TOOL_FAILED;
	error = vpmu_image_describe(file.bytes, file.length, form_of(options), put, stdout, &fault);
	file_free(&file);
	if (error > 0)
		return TOOL_FAILED; /* the output could not be written */
	return error ? refused(options->files[0], error, &fault, options->json) : TOOL_DONE;
}

static int drop(void *opaque, const char *text, uint64_t length)
{
	(void)opaque;
	(void)text;
	(void)length;
	return 0;
}

/* Which of two images the fault is of. */
static const char *culprit_of(const struct options *options, const struct file *before)
{
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	int error = vpmu_image_describe(before->bytes, before->length, VPMU_IMAGE_TEXT, drop, NULL,
					&fault);

	return options->files[error < 0 ? 0 : 1];
}

static int diff(const struct options *options)
{
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	struct file before, after;
	const char *culprit = NULL;
	int result;

	if (file_read(&before, options->files[0]) != 0)
		return DIFF_TROUBLE;
	if (file_read(&after, options->files[1]) != 0) {
		file_free(&before);
		return DIFF_TROUBLE;
	}
	result = vpmu_image_diff(before.bytes, before.length, after.bytes, after.length,
				 form_of(options), put, stdout, &fault);
	if (result < 0)
		culprit = culprit_of(options, &before);
	file_free(&before);
	file_free(&after);
	/* Nobody may take a part of the differences for all of them, or for none. */
	if (fflush(stdout) != 0 || ferror(stdout))
		return DIFF_TROUBLE;
	if (result < 0) {
		refused(culprit, result, &fault, options->json);
		return DIFF_TROUBLE;
	}
	return result ? DIFF_DIFFERS : DIFF_SAME;
}

/* ---- check ----------------------------------------------------------------------------------- */

static const char *const verdicts[] = { "ok", "degraded", "missing" };

struct fares {
	int json;
	int shown;
};

static int show(void *opaque, const struct vpmu_image_event *event)
{
	struct fares *fares = opaque;
	char name[VPMU_CONVERT_NAME_SIZE] = "raw with extra words";

	(void)vpmu_convert_name(&event->attr, name, sizeof(name));
	if (fares->json)
		printf("%s\n    { \"vcpu\": %" PRIu32 ", \"slot\": %" PRIu32
		       ", \"event\": \"%s\", \"verdict\": \"%s\", \"reason\": %" PRIu32 " }",
		       fares->shown ? "," : "", event->vcpu, event->slot, name,
		       verdicts[event->verdict], event->reason);
	else
		printf("%-8s  vCPU %" PRIu32 " slot %" PRIu32 "  %s\n", verdicts[event->verdict],
		       event->vcpu, event->slot, name);
	fares->shown++;
	return 0;
}

static int check_against(const struct options *options, const struct file *file,
			 const struct vpmu_image_target *target)
{
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	struct fares fares = { .json = options->json };
	int error = vpmu_image_check(file->bytes, file->length, target, &fault);

	if (fault.fault == VPMU_IMAGE_FAULT_EVENT && !options->json)
		(void)vpmu_image_events(file->bytes, file->length, target, show, &fares, NULL);
	if (error)
		return refused(options->files[0], error, &fault, options->json);
	if (options->json)
		printf("{\n  \"verdict\": \"ok\",\n  \"events\": [");
	error = vpmu_image_events(file->bytes, file->length, target, show, &fares, &fault);
	if (options->json)
		printf("\n  ]\n}\n");
	else
		printf("ok        %s\n", options->files[0]);
	return error ? TOOL_FAILED : TOOL_DONE;
}

static int missing_of(const char *name, uint32_t *missing)
{
	static const char *const names[] = { "strict", "degrade", "stub" };

	for (*missing = 0; *missing < 3; (*missing)++)
		if (!name || strcmp(name, names[*missing]) == 0)
			return 0;
	return -1;
}

static int check(const struct options *options)
{
	struct vpmu_image_target target = { .size = sizeof(target) };
	struct vpmu_profile profile;
	struct host host;
	struct file file;
	int result;

	if (missing_of(options->missing, &target.missing) != 0)
		return usage_error("image", options->missing);
	if (options->profile && profile_description(&profile, options->profile) != 0)
		return TOOL_FAILED;
	if (options->facts && host_description(&host, options->facts) != 0)
		return TOOL_FAILED;
	target.profile = options->profile ? &profile : NULL;
	target.facts = options->facts ? &host.facts : NULL;
	if (file_read(&file, options->files[0]) != 0)
		return TOOL_FAILED;
	result = check_against(options, &file, &target);
	file_free(&file);
	return result;
}

/* ---- convert --------------------------------------------------------------------------------- */

static int write_out(const char *path, const unsigned char *bytes, uint64_t length)
{
	FILE *to = fopen(path, "wb");
	int failed = !to || fwrite(bytes, 1, (size_t)length, to) != length;

	if (to && fclose(to) != 0)
		failed = 1;
	if (failed)
		fprintf(stderr, "vpmu: %s could not be written\n", path);
	return failed ? TOOL_FAILED : TOOL_DONE;
}

/* The image is right, so the level is what it cannot be written for. */
static int no_level(const struct file *file, const struct options *options,
		    const struct vpmu_image_fault *fault)
{
	struct vpmu_image_info info = { .size = sizeof(info) };
	char text[64], advice[64];

	if (vpmu_image_info(file->bytes, file->length, &info, NULL) != 0)
		return TOOL_FAILED;
	snprintf(text, sizeof(text), "the image is of level %" PRIu32, info.level);
	snprintf(advice, sizeof(advice), "Give %s%" PRIu32 ".", info.level > 1 ? "1 to " : "",
		 info.level);
	if (options->json)
		print_refusal(fault, text, advice);
	else
		fprintf(stderr, "vpmu: --level %s: %s. %s\n", options->level, text, advice);
	return TOOL_FAILED;
}

static int converted(const struct options *options, const unsigned char *bytes, uint64_t length)
{
	int result = write_out(options->output, bytes, length);

	if (result == TOOL_DONE && options->json)
		printf("{\n  \"verdict\": \"ok\", \"bytes\": %" PRIu64 "\n}\n", length);
	return result;
}

static int convert(const struct options *options)
{
	struct vpmu_image_fault fault = { .size = sizeof(fault) };
	unsigned char *bytes;
	uint64_t length;
	struct file file;
	char *end;
	unsigned long long level;
	int result;

	if (!options->level || !options->output)
		return usage_error("image", NULL);
	level = strtoull(options->level, &end, 10);
	if (*end || end == options->level || level > UINT32_MAX)
		return usage_error("image", options->level);
	if (file_read(&file, options->files[0]) != 0)
		return TOOL_FAILED;
	bytes = malloc(file.length + 1);
	if (!bytes) {
		fprintf(stderr, "vpmu: no memory\n");
		file_free(&file);
		return TOOL_FAILED;
	}
	result = vpmu_image_convert(file.bytes, file.length, (uint32_t)level,
				    (uint32_t)options->accept_loss, bytes, file.length, &length,
				    &fault);
	if (result == VPMU_ERROR_INVALID)
		result = no_level(&file, options, &fault);
	else if (result)
		result = refused(options->files[0], result, &fault, options->json);
	else
		result = converted(options, bytes, length);
	free(bytes);
	file_free(&file);
	return result;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static const struct command {
	const char *name;
	int files;
	int (*run)(const struct options *options);
} commands[] = {
	{ "dump", 1, dump },
	{ "check", 1, check },
	{ "diff", 2, diff },
	{ "convert", 1, convert },
};

/* Takes the option at *i with its value; 0 where it is none. */
static int take(struct options *options, int count, char **arguments, int *i)
{
	const struct {
		const char *name;
		const char **value;
	} valued[] = {
		{ "--profile", &options->profile }, { "--facts", &options->facts },
		{ "--missing", &options->missing }, { "--level", &options->level },
		{ "--output", &options->output },
	};
	const char *argument = arguments[*i];

	for (size_t v = 0; v < sizeof(valued) / sizeof(valued[0]); v++) {
		if (strcmp(argument, valued[v].name) == 0 && *i + 1 < count) {
			*valued[v].value = arguments[++*i];
			return 1;
		}
	}
	if (strcmp(argument, "--accept-loss") == 0)
		options->accept_loss = 1;
	else if (strcmp(argument, "--json") == 0)
		options->json = 1;
	else if (argument[0] != '-' && options->file_count < 2)
		options->files[options->file_count++] = argument;
	else
		return 0;
	return 1;
}

int image_main(int count, char **arguments)
{
	struct options options = { 0 };

	for (int i = 0; i < count; i++)
		if (strcmp(arguments[i], "--help") == 0)
			return help();
	if (!count)
		return usage_error("image", NULL);
	for (int i = 1; i < count; i++)
		if (!take(&options, count, arguments, &i))
			return usage_error("image", arguments[i]);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(arguments[0], commands[i].name) != 0)
			continue;
		if (options.file_count != commands[i].files)
			return usage_error("image", NULL);
		return commands[i].run(&options);
	}
	return usage_error("image", arguments[0]);
}
