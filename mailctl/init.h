/*
 * init - writes a complete new instance: postern.conf and empty state.
 */
#ifndef MAILCTL_INIT_H
#define MAILCTL_INIT_H

#include <stdbool.h>

/* mailctl init DIR [...]; returns the exit code. */
int	init_main(int argc, char **argv, bool json);

#endif
