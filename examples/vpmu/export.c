/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/* vpmu export: values for Prometheus and what else reads its forms. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef WITH_MICROHTTPD
#include <microhttpd.h>
#endif

#include "options.h"

#define DEFAULT_EVENTS "task-clock,context-switches,cpu-migrations,page-faults"

static const char help[] =
	"Usage: vpmu export (--pid PID | --qmp SOCKET)... (--port N | --socket PATH | --textfile FILE) [OPTION...]\n"
	"\n"
	"Serves the counts of VMs to Prometheus, in its text format or OpenMetrics. Counts tell about other\n"
	"users' guests: they are served on the loopback address, to a Unix socket, or into a file.\n"
	"\n"
	"Options:\n" WATCH_OPTIONS
	"  --port N           HTTP on 127.0.0.1, path /metrics, and /json for scripts\n"
	"  --socket PATH      HTTP on a Unix socket, for its owner and group\n"
	"  --textfile FILE    write a file anew every --interval, for node_exporter's collector\n"
	"  --json             the file is one JSON object\n"
	"  --interval MS      of the file and of looking for new vCPUs (1000)\n"
	"  --state FILE       keep counts there, so that they go on after a restart\n"
	"  --max-series N     more series than this of vCPUs and events are summed up by VM (20000)\n"
	"  --help             this text\n";

/* Clients at once, and the time for a request and its answer. */
enum { MOST_CONNECTIONS = 16, PATIENCE_S = 5, REQUEST_S = 10, MOST_MEMORY = 32 << 10 };

/* A client that is served. */
struct client {
	int64_t until; /* ns; 0: there is none */
	int socket;
};

struct exporter {
	struct session *session;
	uint64_t port, interval, most_series;
	const char *socket, *textfile, *state;
	int json;
	int unwritten, unkept;	 /* the file, the state: which was said */
	pthread_mutex_t lock;	 /* the session has one user at a time */
	pthread_mutex_t serving; /* clients */
	struct client clients[MOST_CONNECTIONS];
};

/*
 * Nobody is told a count that is not kept before: a later run would begin below it, which is taken
 * for a counter that began anew at 0, and all that it ever counted for an increase.
 */
static void keep(struct exporter *exporter)
{
	int failed = exporter->state && state_save(exporter->session, exporter->state);

	if (failed && !exporter->unkept)
		complain(exporter->session, "%s could not be written: %s", exporter->state,
			 strerror(errno));
	exporter->unkept = failed;
}

/* Writes a file so that a reader sees the old one or the new one. */
static void write_file(struct exporter *exporter)
{
	struct text_buffer text = { 0 };
	char beside[4096];
	FILE *file;
	int failed = 1;

	metrics_write(exporter->session, &text, exporter->json ? METRICS_JSON : METRICS_TEXT);
	keep(exporter);
	snprintf(beside, sizeof(beside), "%s.new", exporter->textfile);
	file = text.failed ? NULL : fopen(beside, "w");
	if (file) {
		failed = fwrite(text.at, 1, text.used, file) != text.used;
		failed |= fclose(file) != 0;
		failed = failed || rename(beside, exporter->textfile) != 0;
	}
	text_end(&text);
	if (failed && !exporter->unwritten)
		complain(exporter->session, "%s could not be written: %s", exporter->textfile,
			 strerror(errno));
	exporter->unwritten = failed;
}

#ifdef WITH_MICROHTTPD

static struct client *client_of(struct exporter *exporter, int number)
{
	for (uint32_t i = 0; i < MOST_CONNECTIONS; i++)
		if (exporter->clients[i].until ? exporter->clients[i].socket == number : number < 0)
			return &exporter->clients[i];
	return NULL;
}

/* One that comes or goes; its socket is closed afterwards. */
static void notice(void *opaque, struct MHD_Connection *connection, void **kept,
		   enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct exporter *exporter = opaque;
	struct client *client;

	(void)kept;
	if (!info)
		return;
	pthread_mutex_lock(&exporter->serving);
	client = client_of(exporter, what == MHD_CONNECTION_NOTIFY_STARTED ? -1 : info->connect_fd);
	if (client && what == MHD_CONNECTION_NOTIFY_STARTED)
		*client = (struct client){ now_ns() + REQUEST_S * 1000000000ll, info->connect_fd };
	else if (client)
		client->until = 0;
	pthread_mutex_unlock(&exporter->serving);
}

/* The server ends one that is mute; one that says or reads a byte now and then would stay for ever.
 */
static void end_slow(struct exporter *exporter)
{
	int64_t now = now_ns();

	pthread_mutex_lock(&exporter->serving);
	for (uint32_t i = 0; i < MOST_CONNECTIONS; i++)
		if (exporter->clients[i].until && exporter->clients[i].until < now)
			shutdown(exporter->clients[i].socket, SHUT_RDWR);
	pthread_mutex_unlock(&exporter->serving);
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned int code,
				   const char *type, void *text, size_t length,
				   enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(length, text, mode);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", type);
	/* So that the time of a client is that of one request. */
	MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer_plain(struct MHD_Connection *connection, unsigned int code,
				    const char *text)
{
	return answer_text(connection, code, "text/plain", (void *)(uintptr_t)text, strlen(text),
			   MHD_RESPMEM_PERSISTENT);
}

static enum metrics_form form_accepted(struct MHD_Connection *connection)
{
	const char *accepted = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");

	return accepted && strstr(accepted, "application/openmetrics-text") ? METRICS_OPEN :
									      METRICS_TEXT;
}

static enum MHD_Result answer_metrics(struct exporter *exporter, struct MHD_Connection *connection,
				      enum metrics_form form)
{
	static const char *const types[] = {
		[METRICS_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
		[METRICS_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
		[METRICS_JSON] = "application/json",
	};
	struct text_buffer text = { 0 };

	pthread_mutex_lock(&exporter->lock);
	metrics_write(exporter->session, &text, form);
	keep(exporter);
	pthread_mutex_unlock(&exporter->lock);
	if (text.failed || !text.at) {
		text_end(&text);
		return answer_plain(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	}
	return answer_text(connection, MHD_HTTP_OK, types[form], text.at, text.used,
			   MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result handle(void *opaque, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *data,
			      size_t *data_size, void **request)
{
	static int seen;

	(void)version;
	(void)data;
	/* The first call of a request brings its head alone. */
	if (*request == NULL) {
		*request = &seen;
		return MHD_YES;
	}
	if (*data_size) {
		*data_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return answer_plain(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	if (strcmp(url, "/metrics") == 0)
		return answer_metrics(opaque, connection, form_accepted(connection));
	if (strcmp(url, "/json") == 0)
		return answer_metrics(opaque, connection, METRICS_JSON);
	return answer_plain(connection, strcmp(url, "/") == 0 ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND,
			    "The counts are at /metrics, and as JSON at /json\n");
}

static int listen_port(const struct exporter *exporter)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)exporter->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listening < 0)
		return -1;
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listening, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(listening, MOST_CONNECTIONS) == 0)
		return listening;
	complain(exporter->session,
		 "port %u of 127.0.0.1: %s. Choose another --port, or end who has it (ss -ltnp).",
		 (unsigned int)exporter->port, strerror(errno));
	close(listening);
	return -1;
}

static int listen_socket(const struct exporter *exporter)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error = place_for_socket(exporter->socket);
	int listening;

	if (error) {
		complain(exporter->session, "%s: %s. Choose another --socket.", exporter->socket,
			 strerror(-error));
		return -1;
	}
	memcpy(address.sun_path, exporter->socket, strlen(exporter->socket) + 1);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listening < 0)
		return -1;
	umask(0117);
	if (bind(listening, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    listen(listening, MOST_CONNECTIONS) == 0)
		return listening;
	complain(exporter->session, "%s: %s. Choose another --socket.", exporter->socket,
		 strerror(errno));
	close(listening);
	return -1;
}

/* A client that never reads holds one of a few connections, for a few seconds. */
static struct MHD_Daemon *serve(struct exporter *exporter, int *failed)
{
	struct MHD_Daemon *server;
	int listening;

	*failed = 0;
	if (!exporter->port && !exporter->socket)
		return NULL;
	listening = exporter->port ? listen_port(exporter) : listen_socket(exporter);
	*failed = listening < 0;
	if (listening < 0)
		return NULL;
	server = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
				  handle, exporter, MHD_OPTION_LISTEN_SOCKET, listening,
				  MHD_OPTION_CONNECTION_LIMIT, (unsigned int)MOST_CONNECTIONS,
				  MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)PATIENCE_S,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MOST_MEMORY,
				  MHD_OPTION_NOTIFY_CONNECTION, notice, exporter, MHD_OPTION_END);
	if (!server) {
		complain(exporter->session, "the HTTP server does not start: %s", strerror(errno));
		close(listening);
		*failed = 1;
	}
	return server;
}

static void stop(const struct exporter *exporter, struct MHD_Daemon *server)
{
	if (server)
		MHD_stop_daemon(server);
	if (server && exporter->socket)
		unlink(exporter->socket);
}

#else

struct MHD_Daemon;

static struct MHD_Daemon *serve(struct exporter *exporter, int *failed)
{
	*failed = exporter->port || exporter->socket;
	if (*failed)
		complain(
			exporter->session,
			"this vpmu was built without libmicrohttpd and serves no HTTP. Use --textfile, or install libmicrohttpd-dev and build again.");
	return NULL;
}

static void stop(const struct exporter *exporter, struct MHD_Daemon *server)
{
	(void)exporter;
	(void)server;
}

static void end_slow(struct exporter *exporter)
{
	(void)exporter;
}

#endif

/* Until the next turn. */
static void wait_turn(struct exporter *exporter)
{
	int64_t until = now_ns() + (int64_t)exporter->interval * 1000000;
	int64_t left;

	while (!watch_ended && (left = until - now_ns()) > 0) {
		poll(NULL, 0, left > 1000000000 ? 1000 : (int)(left / 1000000) + 1);
		end_slow(exporter);
	}
}

/* One turn: new vCPUs, the file, the state; how many VMs there still are. */
static uint32_t turn(struct exporter *exporter)
{
	uint32_t there;

	pthread_mutex_lock(&exporter->lock);
	there = session_follow(exporter->session);
	if (exporter->textfile)
		write_file(exporter);
	else if (exporter->state && !session_read(exporter->session, VPMU_MONITOR_PER_VM))
		keep(exporter);
	pthread_mutex_unlock(&exporter->lock);
	return there;
}

/* Files are replaced: nobody wants that of a device. */
static int check_places(const struct exporter *exporter)
{
	const char *const paths[] = { exporter->textfile, exporter->state };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!paths[i] || place_for_file(paths[i]) != -EEXIST)
			continue;
		complain(exporter->session,
			 "%s is no plain file, and would be replaced by one. Choose another path.",
			 paths[i]);
		return TOOL_USAGE;
	}
	return 0;
}

/* A file that could be written once may fail later, and is tried again; else its path is a mistake.
 */
static int go_on(struct exporter *exporter)
{
	uint32_t there = turn(exporter);

	if (exporter->unwritten)
		return TOOL_FAILED;
	while (!watch_ended && there > 0) {
		wait_turn(exporter);
		there = turn(exporter);
	}
	if (!watch_ended)
		complain(exporter->session, "all VMs have ended");
	return TOOL_DONE;
}

static int run(struct exporter *exporter)
{
	struct session *session = exporter->session;
	struct MHD_Daemon *server;
	int failed = session_open(session);

	if (!failed && exporter->state && state_load(session, exporter->state)) {
		complain(
			session,
			"%s is no state of vpmu export, is cut off, or may not be read. Remove it: counts then begin at 0.",
			exporter->state);
		return TOOL_FAILED;
	}
	if (!failed)
		failed = session_start(session);
	if (failed)
		return failed;
	server = serve(exporter, &failed);
	if (failed)
		return TOOL_FAILED;
	failed = go_on(exporter);
	stop(exporter, server);
	return failed;
}

int export_main(int count, char **arguments)
{
	struct session session;
	struct exporter exporter = { .session = &session, .interval = 1000, .most_series = 20000 };
	const struct option_row rows[] = {
		{ .name = "--port", .number = &exporter.port, .least = 1, .most = 65535 },
		{ .name = "--socket", .text = &exporter.socket },
		{ .name = "--textfile", .text = &exporter.textfile },
		{ .name = "--json", .flag = &exporter.json },
		{ .name = "--interval",
		  .number = &exporter.interval,
		  .least = 100,
		  .most = 3600000 },
		{ .name = "--state", .text = &exporter.state },
		{ .name = "--max-series",
		  .number = &exporter.most_series,
		  .least = 1,
		  .most = 10000000 },
		{ .name = NULL },
	};
	int result;

	if (count == 1 && strcmp(arguments[0], "--help") == 0) {
		printf("%s", help);
		return TOOL_DONE;
	}
	watch_until_signal();
	session_begin(&session, "export");
	session.goes_on = 1;
	pthread_mutex_init(&exporter.lock, NULL);
	pthread_mutex_init(&exporter.serving, NULL);
	result = options_take(&session, rows, count, arguments, DEFAULT_EVENTS);
	if (!result &&
	    (exporter.port != 0) + (exporter.socket != NULL) + (exporter.textfile != NULL) != 1) {
		complain(&session, "say one of --port, --socket and --textfile");
		result = TOOL_USAGE;
	}
	if (!result && exporter.json && !exporter.textfile) {
		complain(&session, "--json is for --textfile: over HTTP ask for /json");
		result = TOOL_USAGE;
	}
	session.most_series = exporter.most_series;
	if (!result)
		result = check_places(&exporter);
	if (!result)
		result = run(&exporter);
	state_end(&session);
	session_end(&session);
	pthread_mutex_destroy(&exporter.serving);
	pthread_mutex_destroy(&exporter.lock);
	return result;
}
