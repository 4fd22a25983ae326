// An admission policy that says and does what tests want, by what it is compiled with and by its parameters.

#include "hearth_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef NAME
#define NAME "trial"
#endif
#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef DESCRIPTION
#define DESCRIPTION "does what tests want"
#endif
#ifndef WORDS
#define WORDS                                                                                                          \
    HEARTH_TEXT("well"), HEARTH_TEXT("sleep"), HEARTH_TEXT("long"), HEARTH_TEXT("escapes"), HEARTH_TEXT("fail"),       \
        HEARTH_TEXT("count"), HEARTH_TEXT("lists"), HEARTH_TEXT("null"), HEARTH_TEXT("true"), HEARTH_TEXT("1")
#endif
#ifndef PARAMETERS
#define PARAMETERS CHOICE("how"), TEXTS("names"), NUMBERS("weights"), DURATIONS("limits")
#endif
#ifndef POLICIES
#define POLICIES &trial
#endif

static const hearth_text words[] = {WORDS};

#define PARAMETER(of_kind, called)                                                                                     \
    .size = sizeof(hearth_parameter), .kind = of_kind, .name = HEARTH_TEXT(called), .help = HEARTH_TEXT("what is wanted")
#define CHOICE(called)                                                                                                 \
    { PARAMETER(HEARTH_PARAMETER_CHOICE, called), .words = {words, sizeof words / sizeof *words} }
#define TEXTS(called)                                                                                                  \
    { PARAMETER(HEARTH_PARAMETER_TEXTS, called), .default_value = {0, 0, HEARTH_TEXT("a\nb c")} }
#define NUMBERS(called)                                                                                                \
    {                                                                                                                  \
        PARAMETER(HEARTH_PARAMETER_NUMBERS, called), .max = HEARTH_NUMBER(1), .default_value = {0, 0,                  \
                                                                                                HEARTH_TEXT("0.5\n")}  \
    }
#define DURATIONS(called)                                                                                              \
    { PARAMETER(HEARTH_PARAMETER_DURATIONS, called), .unit = HEARTH_TEXT("s") }
#define NUMBER(called, least, most, usual)                                                                             \
    {                                                                                                                  \
        PARAMETER(HEARTH_PARAMETER_NUMBER, called), .min = HEARTH_NUMBER(least), .max = HEARTH_NUMBER(most),           \
                                                    .default_value = HEARTH_NUMBER(usual)                              \
    }
#define INTEGER(called, least, most, usual)                                                                            \
    {                                                                                                                  \
        PARAMETER(HEARTH_PARAMETER_INTEGER, called), .min = HEARTH_INTEGER(least), .max = HEARTH_INTEGER(most),        \
                                                     .default_value = HEARTH_INTEGER(usual)                            \
    }

static const hearth_parameter parameters[] = {PARAMETERS};

// What all instances of a library share.
static unsigned long long calls;

typedef struct {
    hearth_context context;
    const char *how;
    char reason[4096];
} instance;

static uint32_t create(const hearth_context *context, hearth_values values, void **policy) {
    instance *made = calloc(1, sizeof *made);
    made->context = *context;
    made->how = values.length > 0 && parameters[0].words.length > 0 ? words[values.data[0].integer].data : "well";
    char *end = made->reason;
    for (size_t list = 1; list < values.length; list++) {
        end += sprintf(end, "%llu:%.*s|", (unsigned long long)values.data[list].integer,
                       (int)values.data[list].text.length, values.data[list].text.data);
    }
    for (char *at = made->reason; at < end; at++) {
        if (*at == '\n') *at = ';';
    }
    *policy = made;
    return HEARTH_OK;
}

static uint32_t reject(hearth_admission_answer *answer, const char *data, size_t length) {
    answer->kind = HEARTH_ADMISSION_REJECT;
    answer->reason.data = data;
    answer->reason.length = length;
    return HEARTH_OK;
}

static uint32_t admit(void *policy, const hearth_request *request, const hearth_admission_view *view,
                      hearth_admission_answer *answer) {
    static const char escapes[] = "\033[2J\033[31mnothing\r\nerror: \"of\", this\200\xe2\x80\xae";
    instance *self = policy;
    (void)request, (void)view;
    calls++;
    if (strcmp(self->how, "sleep") == 0) usleep(50000);
    if (strcmp(self->how, "long") == 0) {
        static char *huge;
        const size_t length = (size_t)200 << 20;
        if (huge == NULL) huge = memset(malloc(length), 'x', length);
        return reject(answer, huge, length);
    }
    if (strcmp(self->how, "escapes") == 0) return reject(answer, escapes, sizeof escapes - 1);
    if (strcmp(self->how, "fail") == 0) return hearth_fail(&self->context, escapes);
    if (strcmp(self->how, "lists") == 0) return reject(answer, self->reason, strlen(self->reason));
    if (strcmp(self->how, "count") == 0 && calls % 2 == 0) {
        return reject(answer, self->reason, (size_t)sprintf(self->reason, "call %llu", calls));
    }
    return HEARTH_OK;
}

static const hearth_admission functions = {.size = sizeof functions, .admit = admit};

#define POLICY(called)                                                                                                 \
    {                                                                                                                  \
        .size = sizeof(hearth_policy), .name = HEARTH_TEXT(called), .version = HEARTH_TEXT(VERSION),                   \
        .description = HEARTH_TEXT(DESCRIPTION), .parameters = HEARTH_RECORDS(parameters), .create = create,           \
        .destroy = free, .admission = &functions                                                                       \
    }

static const hearth_policy trial = POLICY(NAME), second = POLICY(NAME);
// Not all are exported always.
const void *const trial_unused[] = {&trial, &second};

HEARTH_EXPORT_POLICIES(POLICIES);
