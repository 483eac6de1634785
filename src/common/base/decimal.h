/*
 * decimal: floating-point numbers as text, the way Go prints them.
 *
 * What is printed gives the same number back and has as few digits as that
 * takes.  Texts that are compared with those of programs in Go need it.
 */
#ifndef FX_DECIMAL_H
#define FX_DECIMAL_H

#include "base.h"

#define DECIMAL_MAX 48

/* With an exponent, of at least exp_digits digits, where that is below `low` or
 * not below `high` (at most 21).  f is finite. */
void decimal_print(double f, int low, int high, int exp_digits,
    char out[DECIMAL_MAX]);

/* As encoding/json prints it. */
void decimal_print_json(double f, char out[DECIMAL_MAX]);

#endif
