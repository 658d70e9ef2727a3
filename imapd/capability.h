/*
 * capability - what an IMAP session can do after login.  The login daemon
 * says it in the OK that ends a login, the session when it is asked.
 */
#ifndef IMAPD_CAPABILITY_H
#define IMAPD_CAPABILITY_H

#define IMAP_CAPABILITY \
	"IMAP4rev1 LITERAL+ CHILDREN ID IDLE NAMESPACE QUOTA " \
	"QUOTA=RES-STORAGE QUOTA=RES-MESSAGE UIDPLUS UNSELECT"

#endif
