/*
 * command - the table of the IMAP commands.  Pure.
 */
#include "imapd/session.h"

static const struct command commands[] = {
	{ STR_INIT("APPEND"), 0, cmd_append },
	{ STR_INIT("AUTHENTICATE"), 0, cmd_login },
	{ STR_INIT("CAPABILITY"), 0, cmd_capability },
	{ STR_INIT("CHECK"), CMD_SELECTED, cmd_check },
	{ STR_INIT("CLOSE"), CMD_SELECTED, cmd_close },
	{ STR_INIT("COPY"), CMD_SELECTED | CMD_UID, cmd_copy },
	{ STR_INIT("CREATE"), 0, cmd_create },
	{ STR_INIT("DELETE"), 0, cmd_delete },
	{ STR_INIT("EXAMINE"), 0, cmd_examine },
	{ STR_INIT("EXPUNGE"), CMD_SELECTED | CMD_WRITES | CMD_UID,
	    cmd_expunge },
	{ STR_INIT("FETCH"), CMD_SELECTED | CMD_NO_EXPUNGE | CMD_UID,
	    cmd_fetch },
	{ STR_INIT("GETQUOTA"), 0, cmd_getquota },
	{ STR_INIT("GETQUOTAROOT"), 0, cmd_getquotaroot },
	{ STR_INIT("ID"), 0, cmd_id },
	{ STR_INIT("IDLE"), 0, cmd_idle },
	{ STR_INIT("LIST"), 0, cmd_list },
	{ STR_INIT("LOGIN"), 0, cmd_login },
	{ STR_INIT("LOGOUT"), 0, cmd_logout },
	{ STR_INIT("LSUB"), 0, cmd_lsub },
	{ STR_INIT("NAMESPACE"), 0, cmd_namespace },
	{ STR_INIT("NOOP"), 0, cmd_noop },
	{ STR_INIT("RENAME"), 0, cmd_rename },
	{ STR_INIT("SEARCH"), CMD_SELECTED | CMD_NO_EXPUNGE | CMD_UID,
	    cmd_search },
	{ STR_INIT("SELECT"), 0, cmd_select },
	{ STR_INIT("STATUS"), 0, cmd_status },
	{ STR_INIT("STORE"), CMD_SELECTED | CMD_WRITES | CMD_NO_EXPUNGE |
	    CMD_UID, cmd_store },
	{ STR_INIT("SUBSCRIBE"), 0, cmd_subscribe },
	{ STR_INIT("UNSELECT"), CMD_SELECTED, cmd_unselect },
	{ STR_INIT("UNSUBSCRIBE"), 0, cmd_unsubscribe },
};

const struct command *
command_find(struct str name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (str_ieq(commands[i].name, name))
			return &commands[i];
	}
	return NULL;
}
