/*
 * notice - see notice.h.
 */
#include "mailctl/notice.h"

struct notice
notice_parse(struct str text)
{
	struct notice	n = { 0 };
	struct str	line;

	while (str_cut(&text, '\n', &line)) {
		if (str_eq(line, S("READY=1")))
			n.ready = true;
		else if (str_eq(line, S("FDSTORE=1")))
			n.fdstore = true;
		else if (str_eq(line, S("FDSTOREREMOVE=1")))
			n.fdremove = true;
		else if (str_starts(line, S("STATUS=")))
			n.status = str_from(line, 7);
		else if (str_starts(line, S("FDNAME=")))
			n.name = str_from(line, 7);
	}
	return n;
}
