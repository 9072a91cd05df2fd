/** A module that loads and then sends nothing. */
setInterval(() => undefined, 1_000);
