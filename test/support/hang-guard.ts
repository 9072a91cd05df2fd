/**
 * Ends a test that hangs, and measures nothing: with six busy processes on two cores the slowest test takes a fifth of
 * it. It is the only timeout of tests; see "Tests and time" in CONTRIBUTING.md.
 */
export const hangGuardMs = 600_000;

/** Ends a wait inside a test before the guard ends the test, so that the failure names what did not happen. */
export const patienceMs = 540_000;
