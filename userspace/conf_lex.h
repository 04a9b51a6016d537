/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BLKREPL_CONF_LEX_H
#define BLKREPL_CONF_LEX_H

#include <stdbool.h>
#include <stddef.h>

enum tok_type {
	TOK_END,
	TOK_WORD,	/* bare or in quotes */
	TOK_OPEN,	/* { */
	TOK_CLOSE,	/* } */
	TOK_SEMI,	/* ; */
	TOK_ERROR,	/* @text says what is wrong */
};

#define TOK_TEXT_MAX	512

struct token {
	enum tok_type type;
	int line;
	bool quoted;
	char text[TOK_TEXT_MAX];
};

struct lexer {
	const char *pos, *end;
	int line;
};

void lex_init(struct lexer *lex, const char *buf, size_t len);
void lex_next(struct lexer *lex, struct token *tok);

/* What a token is, for "expected ..., found ..." */
const char *tok_describe(const struct token *tok, char *buf, size_t size);

#endif
