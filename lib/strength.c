/* SPDX-License-Identifier: MIT */
/*
 * strength.c: how many guesses a new password would last, by zxcvbn. Apart from
 * password.c, so that programs that only verify do not carry its dictionaries.
 */
#include <string.h>

#include <zxcvbn.h>

#include "password.h"

#define ESTIMATED_MAX	100		/* bytes: the work grows with the square of them, zxcvbn itself stops here */
#define WORD_MIN	3		/* bytes of an own word; shorter ones would "explain" half of any text */
#define WORDS_MAX	40

/* log2 of 10^3, 10^6, 10^8, 10^10 guesses. */
static const double score_bits[] = { 9.96578428, 19.93156857, 26.57542476, 33.21928095 };

static size_t
code_points(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* The own words that count; what does not fit is left out. */
static void
words_choose(const char *const *words, const char *chosen[static WORDS_MAX + 1])
{
	size_t n = 0;

	for (; words != NULL && *words != NULL && n < WORDS_MAX; words++)
		if (strnlen(*words, WORD_MIN) == WORD_MIN)
			chosen[n++] = *words;
	chosen[n] = NULL;
}

/* How many of 10^3, 10^6, 10^8 and 10^10 guesses the estimate reaches. */
static int64_t
score(const char *password, const char *words[])
{
	double bits = ZxcvbnMatch(password, words, NULL);
	int64_t reached = 0;

	while (reached < (int64_t)(sizeof score_bits / sizeof score_bits[0]) && bits >= score_bits[reached])
		reached++;
	return reached;
}

/* What keeps `password` below the demanded score: its own, or what the account's words make of it. */
static unsigned
guessed(const char *password, const char *const *words, int64_t min_score)
{
	const char *chosen[WORDS_MAX + 1], *none[] = { NULL };
	int64_t plain, own;

	words_choose(words, chosen);
	plain = score(password, none);
	own = score(password, chosen);
	if (plain >= min_score && own >= min_score)
		return 0;
	return (plain < min_score ? GB_WEAK_COMMON : 0) | (own < plain ? GB_WEAK_PERSONAL : 0);
}

enum gb_err
gb_password_strength(const struct gb_config *config, const char *password, const char *const *words,
    unsigned *reasons)
{
	char estimated[ESTIMATED_MAX + 1];
	size_t len = strnlen(password, ESTIMATED_MAX);

	*reasons = 0;
	if (code_points(password) < (uint64_t)config->password_min_length)
		*reasons |= GB_WEAK_TOO_SHORT;
	if (config->password_min_score > 0) {
		memcpy(estimated, password, len);
		estimated[len] = '\0';
		*reasons |= guessed(estimated, words, config->password_min_score);
		explicit_bzero(estimated, sizeof estimated);
	}
	return *reasons == 0 ? GB_OK : GB_ERR_WEAK_PASSWORD;
}
