// One sender and who waits for it, for the test of relay_rhythm.h.
#include "relay_rhythm.h"

static Rhythm rhythm;
static Vigil vigil;

void rp_open(double late) {
  rhythm = (Rhythm){ 0 };
  vigil = (Vigil){ .late = late };
}

void rp_hear(double sent, double now) { rhythm_hear(&rhythm, sent, now); }
void rp_sleep(double late) { vigil_slept(&vigil, late); }

/// When to be awake, or -1; then `until` says until when.
double rp_expect(double now, double *until) {
  Watchtime time = { 1.0 / 0.0, 0, -1 };
  vigil_credit(&vigil, now);
  vigil_expect(&vigil, &rhythm, 0, now, &time);
  *until = time.until;
  return time.sender < 0 ? -1 : time.from;
}

void rp_poll(double ns) { vigil.saved -= ns; }
double rp_late(void) { return vigil.late; }
