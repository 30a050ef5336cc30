// When the next message of a sender is likely, and whether it is worth being awake for it: waking a core takes longer than passing the
// message on. As src/node/rhythm.ts and anticipation.ts do for nodes. docs/adr/0012-relay-thread.md
#pragma once

/// Messages that come closer together say nothing of the next one.
#define SHORTEST_GAP_NS 4e5
/// Gaps before the first forecast.
#define GAPS_LEARNED 6
/// A gap that differs from the mean by more than this part of it is odd; so many in a row are another rhythm.
#define ODD_PART 0.5
#define MOST_OUTLIERS 3
/// A message that was longer under way than this says nothing of the usual way.
#define LONGEST_DELAY_NS 1e6
/// Share of a core that may be polled away, how much of it can be saved up, and how long to go on after the last likely moment.
#define POLLED_SHARE 0.04
#define POLLED_SAVED_NS 2e6
#define POLLED_GRACE_NS 1e4
/// How much longer than asked a sleep lasts until that is known, and how much of one that lasted far too long counts.
#define USUAL_LATE_NS 6e4
#define MOST_LATE_NS 2e5
/// Few sleeps are to last longer than what is remembered.
#define SHORTER_COUNTS 0.0625

/// Of one sender: when it sent last, its gaps, their deviation, how long its messages are under way; in nanoseconds.
typedef struct { double sent, gap, deviation, delay; int learned, outliers; } Rhythm;
/// How much longer than asked sleeps last, and what polling may take.
typedef struct { double late, saved, credited; } Vigil;
/// When to be awake, until when, and for whom; -1: for nobody.
typedef struct { double from, until; int sender; } Watchtime;

static double rhythm_absolute(double value) { return value < 0 ? -value : value; }

/// A message was heard. Both moments are monotonic.
static void rhythm_hear(Rhythm *rhythm, double sent, double now) {
  double gap = sent - rhythm->sent, error = gap - rhythm->gap, delay = now - sent;
  rhythm->sent = sent;
  if (!(gap >= SHORTEST_GAP_NS)) {
    rhythm->learned = 0;
    return;
  }
  if (delay >= 0 && delay < LONGEST_DELAY_NS) rhythm->delay += (delay - rhythm->delay) / 8;
  int is_odd = rhythm->learned == 0 || rhythm_absolute(error) > ODD_PART * rhythm->gap;
  if (is_odd && rhythm->learned >= GAPS_LEARNED && ++rhythm->outliers < MOST_OUTLIERS) return;
  rhythm->outliers = 0;
  if (is_odd) {
    rhythm->gap = gap;
    rhythm->deviation = 0;
    rhythm->learned = 1;
    return;
  }
  if (rhythm->learned < 8) rhythm->learned++;
  rhythm->gap += error / rhythm->learned;
  rhythm->deviation += (rhythm_absolute(error) - rhythm->deviation) / rhythm->learned;
}

/// What may be polled away grows with time.
static void vigil_credit(Vigil *vigil, double now) {
  vigil->saved += POLLED_SHARE * (now - vigil->credited);
  if (vigil->saved > POLLED_SAVED_NS) vigil->saved = POLLED_SAVED_NS;
  vigil->credited = now;
}

/// A sleep lasted this much longer than asked.
static void vigil_slept(Vigil *vigil, double late) {
  double error = late - vigil->late;
  if (error > MOST_LATE_NS) error = MOST_LATE_NS;
  vigil->late += error / 8 * (error > 0 ? 1 : SHORTER_COUNTS);
}

/// Takes the time of this sender if it is before that of others, and worth it.
static void vigil_expect(const Vigil *vigil, const Rhythm *rhythm, int sender, double now, Watchtime *time) {
  if (rhythm->learned < GAPS_LEARNED) return;
  double at = rhythm->sent + rhythm->gap + rhythm->delay, spread = 2 * rhythm->deviation;
  double from = at - spread - vigil->late, until = at + spread + POLLED_GRACE_NS;
  if (until <= now || until - from > vigil->saved || from >= time->from) return;
  *time = (Watchtime){ from, until, sender };
}
