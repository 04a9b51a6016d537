/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads that go straight to the disk: events of the core like those in core.h, which
 * includes this.
 */
#ifndef REPL_DIRECT_H
#define REPL_DIRECT_H

#include "platform.h"

struct repl_io;

/**
 * repl_read_begin() - may an application's read go straight to the disk?
 * @io: as for repl_submit(), but what belongs to the core may be anything
 *
 * Asks the core for nothing, and calls no operation.  If true the shell reads from
 * the backing device of io->vol; repl_read_end() or repl_read_done() follows.
 * Until then @io stays the shell's.  If false: repl_submit().
 */
bool repl_read_begin(struct repl_io *io);

/**
 * repl_read_end() - such a read is good: is that all?
 * @io: the same
 *
 * Calls no operation.
 * Return: true: the application may have the data, the core has forgotten @io;
 * false: repl_read_done() follows, at once
 */
bool repl_read_end(struct repl_io *io);

/**
 * repl_read_done() - such a read has failed, or is not all
 * @io: the same; what belongs to the core is zero now, and @io becomes the core's
 * @err: 0 or -errno
 *
 * From here on it is like one from repl_submit() whose ->disk_io() has ended.
 */
void repl_read_done(struct repl_io *io, int err);

#endif
