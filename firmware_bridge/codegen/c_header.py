"""The C side: enumerations, structures, and functions that read and write them byte by byte."""

import re

from firmware_bridge.armlink.message_table import SIZES, FieldEntry, Group, MessageEntry, MessageTable
from firmware_bridge.codegen.python_codec import repeat_name

_TYPES = {kind: f"{'u' if kind[0] == 'u' else ''}int{kind[1:]}_t" for kind in SIZES}

_HEAD = """\
/* Numbers, structures and codec of the protocol between host and arm.
 *
 * Made from messages.toml by `python -m firmware_bridge.codegen`; do not edit.
 * al_X_decode returns false when the size is wrong or a value is out of its range. al_X_encode returns the size;
 * the buffer must have room for AL_X_SIZE_MAX bytes.
 */
#ifndef AL_MESSAGES_H
#define AL_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
"""

_BYTES = """\
/* Little-endian numbers at a moving place. */
static inline uint8_t al_get_u8(const uint8_t **p)
{
    const uint8_t value = **p;
    *p += 1;
    return value;
}

static inline uint16_t al_get_u16(const uint8_t **p)
{
    const uint8_t *b = *p;
    *p += 2;
    return (uint16_t)(b[0] | ((uint16_t)b[1] << 8));
}

static inline uint32_t al_get_u32(const uint8_t **p)
{
    const uint8_t *b = *p;
    *p += 4;
    return b[0] | ((uint32_t)b[1] << 8) | ((uint32_t)b[2] << 16) | ((uint32_t)b[3] << 24);
}

static inline uint64_t al_get_u64(const uint8_t **p)
{
    const uint64_t low = al_get_u32(p);
    return low | ((uint64_t)al_get_u32(p) << 32);
}

static inline int8_t al_get_i8(const uint8_t **p) { return (int8_t)al_get_u8(p); }
static inline int16_t al_get_i16(const uint8_t **p) { return (int16_t)al_get_u16(p); }
static inline int32_t al_get_i32(const uint8_t **p) { return (int32_t)al_get_u32(p); }

static inline void al_put_u8(uint8_t **p, uint8_t value)
{
    **p = value;
    *p += 1;
}

static inline void al_put_u16(uint8_t **p, uint16_t value)
{
    uint8_t *b = *p;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
    *p += 2;
}

static inline void al_put_u32(uint8_t **p, uint32_t value)
{
    uint8_t *b = *p;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
    b[2] = (uint8_t)(value >> 16);
    b[3] = (uint8_t)(value >> 24);
    *p += 4;
}

static inline void al_put_u64(uint8_t **p, uint64_t value)
{
    al_put_u32(p, (uint32_t)value);
    al_put_u32(p, (uint32_t)(value >> 32));
}

static inline void al_put_i8(uint8_t **p, int8_t value) { al_put_u8(p, (uint8_t)value); }
static inline void al_put_i16(uint8_t **p, int16_t value) { al_put_u16(p, (uint16_t)value); }
static inline void al_put_i32(uint8_t **p, int32_t value) { al_put_u32(p, (uint32_t)value); }
"""


def c_header(table: MessageTable) -> str:
    """Text of messages.h."""
    lines = [_HEAD, f"#define AL_TABLE_HASH 0x{table.hash:08X}u"]
    lines += [f"#define AL_{name.upper()} {value}" for name, value in table.numbers.items()]
    for enum in table.enums.values():
        prefix = f"AL_{_upper(enum.name)}"
        lines += ["", f"/* {enum.doc} */", "enum {"]
        lines += [f"    {prefix}_{value.name} = {value.value:#x}, /* {value.doc} */" for value in enum.values]
        lines += ["};"]
    lines += ["", "enum {"]
    lines += [f"    AL_MSG_{message.name} = 0x{message.id:02x}," for message in table.messages]
    lines += ["};", "", _BYTES]
    for entry in (*table.groups.values(), *table.messages):
        lines += _struct(entry, table)
    lines += [_class_of_id(table), "#endif", ""]
    return "\n".join(lines)


def _upper(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def _struct(entry: Group, table: MessageTable) -> list[str]:
    upper = _upper(entry.name)
    lower = upper.lower()
    message = entry if isinstance(entry, MessageEntry) else None
    repeat = table.groups[message.repeat] if message and message.repeat else None
    tail = message.tail if message else ""
    members = [_member(field) for field in entry.fields]
    smallest, largest = entry.size, entry.size
    if message:
        largest = table.largest(message)
    size_check = f"n != AL_{upper}_SIZE"
    decode = [line for field in entry.fields for line in _decode(field)]
    encode = [line for field in entry.fields for line in _encode(field)]
    if repeat and message:
        name, kind = repeat_name(repeat.name), _upper(repeat.name)
        members += [f"    uint8_t {name}_count;", f"    al_{kind.lower()}_t {name}[{message.repeat_max}];"]
        size_check = f"(n <= AL_{upper}_SIZE) || (n > AL_{upper}_SIZE_MAX)"
        size_check += f" || (((n - AL_{upper}_SIZE) % AL_{kind}_SIZE) != 0u)"
        decode += [
            f"    m->{name}_count = (uint8_t)((n - AL_{upper}_SIZE) / AL_{kind}_SIZE);",
            f"    for (uint8_t i = 0; i < m->{name}_count; i++) {{",
            f"        ok = al_{kind.lower()}_decode(&m->{name}[i], p, AL_{kind}_SIZE) && ok;",
            f"        p += AL_{kind}_SIZE;",
            "    }",
        ]
        encode += [
            f"    for (uint8_t i = 0; i < m->{name}_count; i++) {{",
            f"        p += al_{kind.lower()}_encode(&m->{name}[i], p);",
            "    }",
        ]
    if tail:
        members += [f"    uint8_t {tail}_count;", f"    uint8_t {tail}[{largest - smallest}];"]
        size_check = f"(n < AL_{upper}_SIZE) || (n > AL_{upper}_SIZE_MAX)"
        decode += [
            f"    m->{tail}_count = (uint8_t)(n - AL_{upper}_SIZE);",
            f"    for (uint8_t i = 0; i < m->{tail}_count; i++) {{",
            f"        m->{tail}[i] = al_get_u8(&p);",
            "    }",
        ]
        encode += [
            f"    for (uint8_t i = 0; i < m->{tail}_count; i++) {{",
            f"        al_put_u8(&p, m->{tail}[i]);",
            "    }",
        ]
    fits = [f'_Static_assert(AL_{upper}_SIZE_MAX <= AL_MAX_PAYLOAD, "fits a frame");'] if message else []
    checks = [check for field in entry.fields for check in _range_checks(field, table)]
    return [
        f"/* {entry.doc} */",
        "typedef struct {",
        *members,
        f"}} al_{lower}_t;",
        f"#define AL_{upper}_SIZE {smallest}u",
        f"#define AL_{upper}_SIZE_MAX {largest}u",
        *fits,
        "",
        f"static inline bool al_{lower}_decode(al_{lower}_t *m, const uint8_t *p, size_t n)",
        "{",
        f"    if ({size_check}) {{",
        "        return false;",
        "    }",
        "    bool ok = true;",
        *decode,
        *checks,
        "    return ok;",
        "}",
        "",
        f"static inline size_t al_{lower}_encode(const al_{lower}_t *m, uint8_t *out)",
        "{",
        "    uint8_t *p = out;",
        *encode,
        "    return (size_t)(p - out);",
        "}",
        "",
    ]


def _member(field: FieldEntry) -> str:
    kind = "uint8_t" if field.type == "bytes" else _TYPES[field.type]
    array = f"[{field.count}]" if field.count else ""
    unit = f" [{field.unit}]" if field.unit else ""
    return f"    {kind} {field.name}{array}; /* {field.doc}{unit} */"


def _each(field: FieldEntry, body: str) -> list[str]:
    if not field.count:
        return [f"    {body.format(item=field.name)}"]
    return [
        f"    for (uint8_t i = 0; i < {field.count}u; i++) {{",
        f"        {body.format(item=f'{field.name}[i]')}",
        "    }",
    ]


def _decode(field: FieldEntry) -> list[str]:
    kind = "u8" if field.type == "bytes" else field.type
    return _each(field, f"m->{{item}} = al_get_{kind}(&p);")


def _encode(field: FieldEntry) -> list[str]:
    kind = "u8" if field.type == "bytes" else field.type
    return _each(field, f"al_put_{kind}(&p, m->{{item}});")


def _range_checks(field: FieldEntry, table: MessageTable) -> list[str]:
    conditions = []
    suffix = "u" if field.type[0] == "u" else ""
    if field.min is not None and not (suffix and field.min == 0):
        conditions += [f"(m->{{item}} >= {field.min}{suffix})"]
    if field.max is not None:
        conditions += [f"(m->{{item}} <= {field.max}{suffix})"]
    if field.enum:
        numbers = [value.value for value in table.enums[field.enum].values]
        if numbers == list(range(len(numbers))):
            conditions += [f"(m->{{item}} <= {len(numbers) - 1}u)"]
        else:
            conditions += ["(" + " || ".join(f"(m->{{item}} == {number:#x}u)" for number in numbers) + ")"]
    return [line for condition in conditions for line in _each(field, f"ok = ok && {condition};")]


def _class_of_id(table: MessageTable) -> str:
    lines = [
        "/* How a message to the device is delivered; AL_CLASS_REPORT for anything else. */",
        "static inline uint8_t al_class_of(uint8_t id)",
        "{",
        "    uint8_t result = AL_CLASS_REPORT;",
        "    switch (id) {",
    ]
    for delivery in ("OPENING", "EXPRESS", "RELIABLE"):
        ids = [m.name for m in table.messages if m.to == "device" and m.delivery == delivery]
        lines += [f"    case AL_MSG_{name}:" for name in ids]
        lines += [f"        result = AL_CLASS_{delivery};", "        break;"]
    lines += ["    default:", "        break;", "    }", "    return result;", "}", ""]
    return "\n".join(lines)


def codec_check(table: MessageTable) -> str:
    """Text of codec_check.c: every message read into its structure and written again, for the golden vectors."""
    lines = [
        "/* Reads any message into its structure and writes it again.",
        " *",
        " * Made from messages.toml by `python -m firmware_bridge.codegen`; do not edit.",
        " */",
        '#include "../messages.h"',
        "",
        "int32_t vf_codec(uint8_t type, const uint8_t *payload, uint32_t n, void *decoded, uint8_t *encoded);",
        "",
        "/* Size of what was written; -1 when the payload is refused, -2 when there is no such message. */",
        "int32_t vf_codec(uint8_t type, const uint8_t *payload, uint32_t n, void *decoded, uint8_t *encoded)",
        "{",
        "    int32_t result = -1;",
        "    switch (type) {",
    ]
    for message in table.messages:
        lower = _upper(message.name).lower()
        lines += [
            f"    case AL_MSG_{message.name}:",
            f"        if (al_{lower}_decode(decoded, payload, n)) {{",
            f"            result = (int32_t)al_{lower}_encode(decoded, encoded);",
            "        }",
            "        break;",
        ]
    lines += [
        "    default:",
        "        result = -2;",
        "        break;",
        "    }",
        "    return result;",
        "}",
        "",
    ]
    return "\n".join(lines)
