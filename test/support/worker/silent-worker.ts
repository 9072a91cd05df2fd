/** A module that loads and then says nothing. */
setInterval(() => undefined, 1_000);
