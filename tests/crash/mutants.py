# SPDX-License-Identifier: MIT
"""The store with one flush or one order taken away: a crash test that lets one of these live proves nothing.

Not among them: a checkpoint that leaves no mark. The next writer finds the log as full as it was and begins the same
checkpoint again, so nothing can tell it from the real one.

Each row: name, the test that must catch it, whether the short form runs it, and the changes {file: [(old, new)]}.
"""

SYNC_LOG = "\tif (fdatasync(engine->log_fd) != 0)\n\t\treturn poison(engine, \"store.log: cannot flush\");"
SYNC_DB = "\tif (fdatasync(engine->db_fd) != 0)\n\t\treturn poison(engine, \"store.gdbm: cannot flush\");\n"
SYNC_SUMS = "\tif (fdatasync(engine->sums_fd) != 0)\n\t\treturn poison(engine, \"store.sums: cannot flush\");\n"

MUTANTS = [
    ("the log is never flushed", "power", True, {"group.c": [(SYNC_LOG, "")]}),
    ("pages are not flushed at a checkpoint", "power", True, {"group.c": [(SYNC_DB, "")]}),
    ("sums are not flushed at a checkpoint", "power", False, {"group.c": [(SYNC_SUMS, "")]}),
    ("the new header goes before the pages", "power", False, {"group.c": [
        (SYNC_DB, ""), (SYNC_SUMS, ""),
        ("\tatomic_store(&control->end, base);\n",
         "\tfdatasync(engine->db_fd);\n\tfdatasync(engine->sums_fd);\n\tatomic_store(&control->end, base);\n")]}),
    ("pages are changed before the log is flushed", "power", True, {"group.c": [
        ("\traise_to(&control->flushing, end);\n",
         "\traise_to(&control->flushing, end);\n\traise_to(&control->durable, end);\n"
         "\tif (gb_lock_try(engine, GB_LOCK_FLUSH)) {\n\t\tgb_recover_apply(engine);\n"
         "\t\tgb_lock_release(engine, GB_LOCK_FLUSH);\n\t}\n")]}),
    ("the new header is not flushed", "power", False, {"frames.c": [
        (" && fdatasync(fd) == 0;", ";")]}),
    ("a recovery does not flush the pages", "power", True, {"recover.c": [
        ("\tif (fdatasync(engine->db_fd) != 0 || fdatasync(engine->sums_fd) != 0)", "\tif (0)")]}),
    ("frames are replayed without their checksum", "power", True, {"frames.c": [
        (" && frame_crc(frame, len) == frame->crc", "")]}),
    ("sums are named before they are flushed", "power", False, {"sums.c": [
        (" || fsync(fd) != 0)", ")")]}),
    ("the log is named before it is flushed", "power", False, {"frames.c": [
        (" || !header_write_at(fd, header) ||\n\t    fsync(fd) != 0)",
         " ||\n\t    !gb_write_at(fd, &header, sizeof header, GB_LOG_SLOT))")]}),
    ("frames count as applied before they are", "kill", True, {"recover.c": [
        ("\t\tsequence_odd(control);\n", "\t\tsequence_odd(control);\n\t\tatomic_store(&control->applied, to);\n")]}),
    ("what a killed process left half applied is left so", "kill", False, {"recover.c": [
        ("\tif (from < to) {\n", "\tif (from < to && atomic_load(&control->sequence) % 2 == 0) {\n")]}),
    ("readers do not look at the sequence", "kill", True, {"reader.c": [
        ("while (atomic_load_explicit(&control->sequence, memory_order_relaxed) != sequence)", "while (false)"),
        ("memory_order_acquire)) % 2 != 0)\n", "memory_order_acquire)) % 2 == 7)\n")]}),
    ("a writer does not see frames that wait", "kill", True, {"writer.c": [
        ("\tif (applied < end && ((err", "\tif (applied + 1 == 0 && ((err")]}),
    ("a writer does not see what others wrote", "kill", True, {"writer.c": [
        ("writer->handle == NULL || writer->lsn != end ||", "writer->handle == NULL ||")]}),
]
