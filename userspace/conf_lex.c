// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words, strings and punctuation of configuration files.
 */
#include <stdio.h>

#include "conf_lex.h"
#include "util.h"

void lex_init(struct lexer *lex, const char *buf, size_t len)
{
	lex->pos = buf;
	lex->end = buf + len;
	lex->line = 1;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Bytes over 0x7f are UTF-8 in comments and strings. */
static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static bool is_word(char c)
{
	return !is_space(c) && !is_control(c) && !strchr("{};#\"", c);
}

static void skip_space(struct lexer *lex)
{
	bool comment = false;

	for (; lex->pos < lex->end; lex->pos++) {
		char c = *lex->pos;

		if (c == '\n') {
			comment = false;
			lex->line++;
		} else if (c == '#') {
			comment = true;
		} else if (!comment && !is_space(c)) {
			break;
		}
	}
}

static void fail(struct token *tok, const char *text)
{
	tok->type = TOK_ERROR;
	str_copy(tok->text, text, sizeof(tok->text));
}

static void lex_word(struct lexer *lex, struct token *tok)
{
	size_t len = 0;

	tok->type = TOK_WORD;
	for (; lex->pos < lex->end && is_word(*lex->pos); lex->pos++) {
		if (len == TOK_TEXT_MAX - 1) {
			fail(tok, "a word is too long");
			return;
		}
		tok->text[len++] = *lex->pos;
	}
	tok->text[len] = '\0';
	if (!len)
		fail(tok, "a control character is not allowed here");
}

/* One character of a string; \" and \\ are the only escapes. */
static bool lex_string_char(struct lexer *lex, struct token *tok, char *out)
{
	char c = *lex->pos;

	if (c == '\\') {
		if (lex->end - lex->pos < 2 ||
		    (lex->pos[1] != '"' && lex->pos[1] != '\\')) {
			fail(tok, "in a string, \\ must be followed by \" or \\");
			return false;
		}
		c = *++lex->pos;
	} else if (is_control(c) || c == '\t') {
		fail(tok, c == '\n' ? "a string is not closed on its line" :
		     "a control character is not allowed in a string");
		return false;
	}
	*out = c;
	return true;
}

static void lex_string(struct lexer *lex, struct token *tok)
{
	size_t len = 0;

	tok->type = TOK_WORD;
	tok->quoted = true;
	for (lex->pos++; lex->pos < lex->end; lex->pos++) {
		if (*lex->pos == '"') {
			lex->pos++;
			tok->text[len] = '\0';
			return;
		}
		if (len == TOK_TEXT_MAX - 1) {
			fail(tok, "a string is too long");
			return;
		}
		if (!lex_string_char(lex, tok, &tok->text[len]))
			return;
		len++;
	}
	fail(tok, "a string is not closed");
}

static void lex_punct(struct lexer *lex, struct token *tok, enum tok_type type)
{
	tok->type = type;
	tok->text[0] = *lex->pos++;
	tok->text[1] = '\0';
}

void lex_next(struct lexer *lex, struct token *tok)
{
	skip_space(lex);
	tok->line = lex->line;
	tok->quoted = false;
	tok->text[0] = '\0';
	if (lex->pos == lex->end) {
		tok->type = TOK_END;
		return;
	}
	switch (*lex->pos) {
	case '{':
		lex_punct(lex, tok, TOK_OPEN);
		break;
	case '}':
		lex_punct(lex, tok, TOK_CLOSE);
		break;
	case ';':
		lex_punct(lex, tok, TOK_SEMI);
		break;
	case '"':
		lex_string(lex, tok);
		break;
	default:
		lex_word(lex, tok);
	}
}

const char *tok_describe(const struct token *tok, char *buf, size_t size)
{
	if (tok->type == TOK_END)
		return "the end of the file";
	snprintf(buf, size, "\"%s\"", tok->text);
	return buf;
}
