/* A plain brainfuck interpreter in C: the measure for the native speed of the Rust one.
 *
 * The same language and the same work: one instruction at a time in one `switch`, brackets matched when the program is
 * loaded, both ends of the tape checked at every move, a tape of 30 000 cells or (second argument `growing`) one that
 * doubles, buffered input and output, 0 at the end of the input. Built and run with
 *
 *     cc -O2 -o peer peer.c
 *     ./peer program.bf [growing] < input
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RIGHT, LEFT, INCREMENT, DECREMENT, WRITE, READ, OPEN, CLOSE, END };

struct op {
    uint8_t code;
    uint32_t target;
};

static struct op *ops;
static size_t count;

static uint8_t *cells;
static size_t cell_count = 30000;
static int grows;

static void fail(const char *message, size_t at)
{
    fflush(stdout);
    fprintf(stderr, "peer: %s (instruction %zu)\n", message, at);
    exit(1);
}

static void load(FILE *file)
{
    static const char codes[] = "><+-.,[]";
    size_t capacity = 1024, depth = 0, stack_capacity = 64;
    uint32_t *stack = malloc(stack_capacity * sizeof *stack);
    int byte;

    ops = malloc(capacity * sizeof *ops);
    while ((byte = getc(file)) != EOF) {
        const char *found = byte ? strchr(codes, byte) : NULL;
        if (!found)
            continue;
        if (count + 2 > capacity)
            ops = realloc(ops, (capacity *= 2) * sizeof *ops);
        if (depth == stack_capacity)
            stack = realloc(stack, (stack_capacity *= 2) * sizeof *stack);
        ops[count].code = (uint8_t)(found - codes);
        ops[count].target = 0;
        if (byte == '[') {
            stack[depth++] = (uint32_t)count;
        } else if (byte == ']') {
            if (depth == 0)
                fail("unmatched ]", count);
            ops[count].target = stack[--depth];
            ops[stack[depth]].target = (uint32_t)count;
        }
        count++;
    }
    if (depth != 0)
        fail("unmatched [", stack[depth - 1]);
    ops[count].code = END;
    free(stack);
}

__attribute__((noinline, cold)) static int grow(void)
{
    if (!grows || !(cells = realloc(cells, 2 * cell_count)))
        return 0;
    memset(cells + cell_count, 0, cell_count);
    cell_count *= 2;
    return 1;
}

static void interpret(void)
{
    size_t pc = 0, head = 0;

    for (;;) {
        switch (ops[pc].code) {
        case RIGHT:
            head++;
            if (head == cell_count && !grow())
                fail("off the right end of the tape", pc);
            pc++;
            break;
        case LEFT:
            if (head == 0)
                fail("off the left end of the tape", pc);
            head--;
            pc++;
            break;
        case INCREMENT:
            cells[head]++;
            pc++;
            break;
        case DECREMENT:
            cells[head]--;
            pc++;
            break;
        case WRITE:
            putchar_unlocked(cells[head]);
            pc++;
            break;
        case READ: {
            int byte = getchar_unlocked();
            cells[head] = byte == EOF ? 0 : (uint8_t)byte;
            pc++;
            break;
        }
        case OPEN:
            pc = cells[head] == 0 ? ops[pc].target + 1 : pc + 1;
            break;
        case CLOSE:
            pc = cells[head] != 0 ? ops[pc].target + 1 : pc + 1;
            break;
        case END:
            return;
        }
    }
}

int main(int argc, char **argv)
{
    FILE *file;

    if (argc < 2 || !(file = fopen(argv[1], "rb"))) {
        fprintf(stderr, "usage: peer PROGRAM [growing]\n");
        return 2;
    }
    grows = argc > 2;
    load(file);
    fclose(file);
    cells = calloc(cell_count, 1);
    interpret();
    fflush(stdout);
    return 0;
}
