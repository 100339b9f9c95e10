/** Loaded into a program before its own code: ends it when its parent is gone, even one that was killed. */

process.on('disconnect', () => process.exit(1));
// Listening must not keep the program alive.
process.channel?.unref();
