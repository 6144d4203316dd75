/* SPDX-FileCopyrightText: 2026 libvpmu contributors */
/* SPDX-License-Identifier: BSD-2-Clause */

/*
 * The way of a VM's state into QEMU's own migration stream: QEMU's object dbus-vmstate asks for it
 * on a D-Bus, and gives it back at the destination (QEMU, docs/interop/dbus-vmstate). This is the
 * whole bus that QEMU needs: it answers as the bus, and as the only one on it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attach.h"
#include "tool.h"

#ifdef WITH_MOVE
#include <dbus/dbus.h>

#define STATE "org.qemu.VMState1"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define OUR_NAME ":1.1"
#define QEMU_NAME ":1.2"
#define STEPS 4

struct attach_bus {
	struct attach_bus_ops ops;
	DBusServer *server;
	DBusWatch *watch; /* of the server: somebody connects */
	DBusConnection *connection;
	const char *path;
};

static DBusMessage *reply_string(DBusMessage *call, const char *text)
{
	DBusMessage *reply = dbus_message_new_method_return(call);

	if (reply)
		dbus_message_append_args(reply, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
	return reply;
}

static DBusMessage *reply_hello(struct attach_bus *bus, DBusMessage *call)
{
	(void)bus;
	return reply_string(call, QEMU_NAME);
}

static DBusMessage *reply_owner(struct attach_bus *bus, DBusMessage *call)
{
	(void)bus;
	return reply_string(call, OUR_NAME);
}

static DBusMessage *reply_owners(struct attach_bus *bus, DBusMessage *call)
{
	static const char *const names[] = { OUR_NAME };
	const char *const *list = names;
	DBusMessage *reply = dbus_message_new_method_return(call);

	(void)bus;
	if (reply)
		dbus_message_append_args(reply, DBUS_TYPE_ARRAY, DBUS_TYPE_STRING, &list, 1,
					 DBUS_TYPE_INVALID);
	return reply;
}

static DBusMessage *reply_nothing(struct attach_bus *bus, DBusMessage *call)
{
	(void)bus;
	return dbus_message_new_method_return(call);
}

static DBusMessage *reply_started(struct attach_bus *bus, DBusMessage *call)
{
	dbus_uint32_t already = DBUS_START_REPLY_ALREADY_RUNNING;
	DBusMessage *reply = dbus_message_new_method_return(call);

	(void)bus;
	if (reply)
		dbus_message_append_args(reply, DBUS_TYPE_UINT32, &already, DBUS_TYPE_INVALID);
	return reply;
}

static void append_id(DBusMessageIter *to)
{
	const char *id = "vpmu";
	DBusMessageIter variant;

	dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "s", &variant);
	dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &id);
	dbus_message_iter_close_container(to, &variant);
}

static DBusMessage *reply_property(struct attach_bus *bus, DBusMessage *call)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter all;

	(void)bus;
	if (!reply)
		return NULL;
	dbus_message_iter_init_append(reply, &all);
	append_id(&all);
	return reply;
}

static DBusMessage *reply_properties(struct attach_bus *bus, DBusMessage *call)
{
	DBusMessage *reply = dbus_message_new_method_return(call);
	DBusMessageIter all, list, entry;
	const char *key = "Id";

	(void)bus;
	if (!reply)
		return NULL;
	dbus_message_iter_init_append(reply, &all);
	dbus_message_iter_open_container(&all, DBUS_TYPE_ARRAY, "{sv}", &list);
	dbus_message_iter_open_container(&list, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
	dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key);
	append_id(&entry);
	dbus_message_iter_close_container(&list, &entry);
	dbus_message_iter_close_container(&all, &list);
	return reply;
}

static DBusMessage *refuse(DBusMessage *call, const char *why)
{
	attach_say("%s: %s", dbus_message_get_member(call), why);
	return dbus_message_new_error(call, "org.qemu.VMState1.Refused", why);
}

static DBusMessage *reply_save(struct attach_bus *bus, DBusMessage *call)
{
	unsigned char *bytes = NULL;
	size_t length = 0;
	const char *why = bus->ops.save(bus->ops.opaque, &bytes, &length);
	DBusMessage *reply;

	if (why)
		return refuse(call, why);
	reply = dbus_message_new_method_return(call);
	if (reply)
		dbus_message_append_args(reply, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &bytes,
					 (int)length, DBUS_TYPE_INVALID);
	free(bytes);
	return reply;
}

static DBusMessage *reply_load(struct attach_bus *bus, DBusMessage *call)
{
	const unsigned char *bytes;
	const char *why;
	int length;

	if (!dbus_message_get_args(call, NULL, DBUS_TYPE_ARRAY, DBUS_TYPE_BYTE, &bytes, &length,
				   DBUS_TYPE_INVALID) ||
	    length < 0)
		return refuse(call, "that is no state");
	why = bus->ops.load(bus->ops.opaque, bytes, (size_t)length);
	return why ? refuse(call, why) : dbus_message_new_method_return(call);
}

static const struct answer {
	const char *interface;
	const char *member;
	DBusMessage *(*reply)(struct attach_bus *bus, DBusMessage *call);
} answers[] = {
	{ DBUS_INTERFACE_DBUS, "Hello", reply_hello },
	{ DBUS_INTERFACE_DBUS, "ListQueuedOwners", reply_owners },
	{ DBUS_INTERFACE_DBUS, "GetNameOwner", reply_owner },
	{ DBUS_INTERFACE_DBUS, "StartServiceByName", reply_started },
	{ DBUS_INTERFACE_DBUS, "AddMatch", reply_nothing },
	{ DBUS_INTERFACE_DBUS, "RemoveMatch", reply_nothing },
	{ PROPERTIES, "GetAll", reply_properties },
	{ PROPERTIES, "Get", reply_property },
	{ STATE, "Save", reply_save },
	{ STATE, "Load", reply_load },
};

static DBusMessage *answer(struct attach_bus *bus, DBusMessage *call)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (dbus_message_is_method_call(call, answers[i].interface, answers[i].member))
			return answers[i].reply(bus, call);
	return dbus_message_new_error(call, DBUS_ERROR_UNKNOWN_METHOD, "not here");
}

static DBusHandlerResult take(DBusConnection *connection, DBusMessage *message, void *opaque)
{
	const char *name = message ? dbus_message_get_destination(message) : NULL;
	DBusMessage *reply;

	if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_METHOD_CALL)
		return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
	reply = answer(opaque, message);
	if (!reply)
		return DBUS_HANDLER_RESULT_NEED_MEMORY;
	dbus_message_set_sender(reply, name ? name : OUR_NAME);
	dbus_message_set_destination(reply, QEMU_NAME);
	dbus_connection_send(connection, reply, NULL);
	dbus_message_unref(reply);
	return DBUS_HANDLER_RESULT_HANDLED;
}

static void drop_connection(struct attach_bus *bus)
{
	if (!bus->connection)
		return;
	dbus_connection_close(bus->connection);
	dbus_connection_unref(bus->connection);
	bus->connection = NULL;
}

/* One QEMU at a time; the newer one is the one that is there. */
static void connected(DBusServer *server, DBusConnection *connection, void *opaque)
{
	struct attach_bus *bus = opaque;

	(void)server;
	drop_connection(bus);
	if (!dbus_connection_add_filter(connection, take, bus, NULL))
		return;
	dbus_connection_set_exit_on_disconnect(connection, FALSE);
	bus->connection = dbus_connection_ref(connection);
}

static dbus_bool_t watch_added(DBusWatch *watch, void *opaque)
{
	struct attach_bus *bus = opaque;

	bus->watch = watch;
	return TRUE;
}

static void watch_gone(DBusWatch *watch, void *opaque)
{
	struct attach_bus *bus = opaque;

	(void)watch;
	bus->watch = NULL;
}

struct attach_bus *attach_bus_new(const char *path, const struct attach_bus_ops *ops)
{
	struct attach_bus *bus = calloc(1, sizeof(*bus));
	char address[256] = "unix:path=";
	int error = bus ? place_for_socket(path) : -ENOMEM;
	DBusError refused;

	if (error) {
		attach_say("%s: %s", path, strerror(-error));
		free(bus);
		return NULL;
	}
	strcat(address, path);
	bus->ops = *ops;
	bus->path = path;
	dbus_error_init(&refused);
	bus->server = dbus_server_listen(address, &refused);
	if (!bus->server || !dbus_server_set_watch_functions(bus->server, watch_added, watch_gone,
							     NULL, bus, NULL)) {
		attach_say("%s: %s", path,
			   dbus_error_is_set(&refused) ? refused.message : "no memory");
		dbus_error_free(&refused);
		attach_bus_drop(bus);
		return NULL;
	}
	dbus_server_set_new_connection_function(bus->server, connected, bus, NULL);
	return bus;
}

void attach_bus_drop(struct attach_bus *bus)
{
	if (!bus)
		return;
	drop_connection(bus);
	if (bus->server) {
		dbus_server_disconnect(bus->server);
		dbus_server_unref(bus->server);
		unlink(bus->path);
	}
	free(bus);
}

int attach_bus_listener(const struct attach_bus *bus)
{
	return bus && bus->watch ? dbus_watch_get_unix_fd(bus->watch) : -1;
}

int attach_bus_connection(const struct attach_bus *bus)
{
	int descriptor;

	if (!bus || !bus->connection || !dbus_connection_get_unix_fd(bus->connection, &descriptor))
		return -1;
	return descriptor;
}

void attach_bus_accept(struct attach_bus *bus)
{
	if (bus && bus->watch)
		dbus_watch_handle(bus->watch, DBUS_WATCH_READABLE);
}

/* Answers are flushed at once: QEMU stands still until it has them. Each step of the greeting takes
 * a call to be read, and one to be answered. */
void attach_bus_work(struct attach_bus *bus)
{
	if (!bus || !bus->connection)
		return;
	for (int i = 0; i < STEPS; i++)
		if (!dbus_connection_read_write(bus->connection, 0)) {
			drop_connection(bus);
			return;
		}
	while (dbus_connection_dispatch(bus->connection) == DBUS_DISPATCH_DATA_REMAINS)
		;
	dbus_connection_flush(bus->connection);
}

/* libdbus may hold what it read until it is called again, and then nothing more can be waited for. */
int attach_bus_greets(const struct attach_bus *bus)
{
	return bus && bus->connection && !dbus_connection_get_is_authenticated(bus->connection);
}

#else

struct attach_bus *attach_bus_new(const char *path, const struct attach_bus_ops *ops)
{
	(void)path;
	(void)ops;
	attach_say("built without libdbus: counts cannot move with the VM");
	return NULL;
}

void attach_bus_drop(struct attach_bus *bus)
{
	(void)bus;
}

int attach_bus_listener(const struct attach_bus *bus)
{
	(void)bus;
	return -1;
}

int attach_bus_connection(const struct attach_bus *bus)
{
	(void)bus;
	return -1;
}

void attach_bus_accept(struct attach_bus *bus)
{
	(void)bus;
}

void attach_bus_work(struct attach_bus *bus)
{
	(void)bus;
}

int attach_bus_greets(const struct attach_bus *bus)
{
	(void)bus;
	return 0;
}

#endif
