/* Branchy state machine: counts words, numbers and quoted strings of a text that chance writes. */
#include "bench.h"

#define SIZE 2048

enum state { BETWEEN, WORD, NUMBER, STRING };

u8 states_text[SIZE];
u32 states_words, states_numbers, states_strings;

APART int states_fill(void) {
  u32 x = 7;
  for (u32 i = 0; i < SIZE; i++) {
    x = x * 1103515245 + 12345;
    u32 chance = x >> 16 & 31;
    states_text[i] = chance < 16 ? 'a' + chance : chance < 24 ? '0' + (chance - 16) : chance < 26 ? '"' : ' ';
  }
  return 0;
}

APART int states_scan(void) {
  u32 words = 0, numbers = 0, strings = 0;
  enum state state = BETWEEN;
  for (u32 i = 0; i < SIZE; i++) {
    u8 c = states_text[i];
    switch (state) {
      case BETWEEN:
        if (c == '"') state = STRING;
        else if (c >= '0' && c <= '9') state = NUMBER;
        else if (c != ' ') state = WORD;
        break;
      case WORD:
        if (c == ' ' || c == '"') {
          words++;
          state = c == ' ' ? BETWEEN : STRING;
        }
        break;
      case NUMBER:
        if (c < '0' || c > '9') {
          numbers++;
          state = c == ' ' ? BETWEEN : c == '"' ? STRING : WORD;
        }
        break;
      case STRING:
        if (c == '"') {
          strings++;
          state = BETWEEN;
        }
        break;
    }
  }
  states_words += words;
  states_numbers += numbers;
  states_strings += strings;
  return 0;
}

PROGRAM int states(struct xdp_md *ctx) {
  states_fill();
  states_words = states_numbers = states_strings = 0;
  for (u32 round = 0; round < 100; round++) states_scan();
  return (int)(states_words + 1000 * states_numbers + 1000000 * states_strings);
}
