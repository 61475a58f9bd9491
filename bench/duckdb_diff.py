"""DuckDB's side of the diff bench: makes the two tables, compares them, and checks that both comparisons agree.

    duckdb_diff.py make  --rows N --dir DIR          left/right in DIR, each sorted and shuffled
    duckdb_diff.py diff  --plan join|two-phase --left FILE --right FILE --out FILE
    duckdb_diff.py check --ours FILE --theirs FILE   exits 1 where the differences are not the same

Each prints one JSON line. Times exclude the interpreter's start; memory includes it.
"""

import argparse
import json
import resource
import sys
import time

import duckdb

# Each field as an expression over h, the row's hash for that field; the last column says how a changed value is made of it.
FIELDS = {
    "name": ("['Ada','Bela','Chiara','Dimitra','Émile','Farid','Grażyna','Hüseyin'][1 + h % 8] || ' ' || "
             "['Lund','Müller','Nowak','Okafor','Papadaki','Quispe','Rossi','Şahin'][1 + (h >> 8) % 8] || '-' || (h >> 16) % 5000", "text"),
    "org": ("CASE WHEN h % 5 < 2 THEN 'Hecke ' || (h >> 8) % 100000 || ' GmbH' END", "text"),
    "street": ("['Buchsbaumallee','Rue des Haies','Calle del Seto','Via Siepe'][1 + h % 4] || ' ' || (h >> 8) % 300", "text"),
    "city": ("'City ' || (h >> 8) % 20000", "text"),
    "sp": ("CASE WHEN h % 2 = 0 THEN 'Region ' || (h >> 8) % 50 END", "text"),
    "pc": ("lpad(((h >> 8) % 100000)::VARCHAR, 5, '0')", "next"),
    "cc": ("['DE','FR','ES','IT','PL','GR'][1 + h % 6]", "next"),
    "voice": ("'+49.30' || lpad(((h >> 8) % 10000000)::VARCHAR, 7, '0')", "next"),
    "fax": ("CASE WHEN h % 4 = 0 THEN '+49.31' || lpad(((h >> 8) % 10000000)::VARCHAR, 7, '0') END", "text"),
    "email": ("'user' || (h >> 8) % 100000000 || '@mail' || h % 97 || '.example'", "mail"),
    "statuses": ("['clientTransferProhibited','clientDeleteProhibited','clientDeleteProhibited;clientTransferProhibited'][1 + h % 3]", "next"),
}
NEXT = {
    "pc": "'X' || {v}",
    "cc": "CASE {v} WHEN 'DE' THEN 'AT' ELSE 'DE' END",
    "voice": "{v} || '1'",
    "statuses": "CASE {v} WHEN 'clientTransferProhibited' THEN 'clientUpdateProhibited' ELSE 'clientTransferProhibited' END",
}


def changed(field, how, value):
    """An expression for a value that differs from `value` in more than its writing."""
    if field == "fax":
        return f"coalesce({value} || '1', '+49.300000')"
    if how == "mail":
        return f"'x' || {value}"
    if how == "text":
        return f"concat_ws(' ', {value}, 'neu')"
    return NEXT[field].format(v=value)


def make(con, rows, where):
    def side(right):
        columns = ["'C' || lpad(i::VARCHAR, 9, '0') AS id"]
        for at, (field, (value, how)) in enumerate(FIELDS.items()):
            h = f"(hash((i * 16 + {at})::VARCHAR) >> 8)::BIGINT"
            value = "(" + value.replace("(h >> ", f"({h} >> ").replace("h % ", f"{h} % ") + ")"
            if right:
                # 2 % of all values.
                value = f"CASE WHEN hash((i * 16 + {at})::VARCHAR || 'change') % 50 = 0 THEN {changed(field, how, value)} ELSE {value} END"
            columns.append(f"{value} AS {field}")
        # 0.5 % are missing on either side.
        missing = "missing here" if not right else "missing there"
        return f"SELECT {', '.join(columns)} FROM range({rows}) t(i) WHERE hash(i::VARCHAR || '{missing}') % 200 <> 0"

    for name, right in (("left", False), ("right", True)):
        con.execute(f"COPY ({side(right)}) TO '{where}/{name}-sorted.parquet' (COMPRESSION zstd)")
        con.execute(f"COPY (SELECT * FROM '{where}/{name}-sorted.parquet' ORDER BY hash(id, '{name}')) "
                    f"TO '{where}/{name}-shuffled.parquet' (COMPRESSION zstd)")


def diff(con, plan, left, right, out):
    differs = " OR ".join(f"l.{f} IS DISTINCT FROM r.{f}" for f in FIELDS)
    both = ", ".join(f"l.{f} AS l_{f}, r.{f} AS r_{f}" for f in FIELDS)
    fields = " UNION ALL ".join(
        f"SELECT id, '{f}', l_{f}, r_{f}, 'changed' FROM j WHERE here AND there AND l_{f} IS DISTINCT FROM r_{f}" for f in FIELDS)
    result = f"""
        SELECT id, '' AS field, NULL::VARCHAR AS local, NULL::VARCHAR AS remote,
               CASE WHEN here THEN 'missing_there' ELSE 'missing_here' END AS kind
        FROM j WHERE NOT (here AND there) UNION ALL {fields}"""
    tables = f"l AS (SELECT * FROM '{left}'), r AS (SELECT * FROM '{right}')"
    join = f"""j AS MATERIALIZED (
        SELECT coalesce(l.id, r.id) AS id, l.id IS NOT NULL AS here, r.id IS NOT NULL AS there, {both}
        FROM l FULL JOIN r ON l.id = r.id WHERE l.id IS NULL OR r.id IS NULL OR {differs})"""
    if plan == "two-phase":
        row = ", ".join(FIELDS)
        join = f"""
            hl AS (SELECT id, hash({row}) AS h FROM l), hr AS (SELECT id, hash({row}) AS h FROM r),
            d AS MATERIALIZED (
                SELECT coalesce(hl.id, hr.id) AS id, hl.id IS NOT NULL AS here, hr.id IS NOT NULL AS there
                FROM hl FULL JOIN hr ON hl.id = hr.id WHERE hl.h IS DISTINCT FROM hr.h OR hl.id IS NULL OR hr.id IS NULL),
            j AS MATERIALIZED (
                SELECT d.id, d.here, d.there, {both} FROM d LEFT JOIN l ON l.id = d.id LEFT JOIN r ON r.id = d.id)"""
    con.execute(f"COPY (WITH {tables}, {join} {result}) TO '{out}' (COMPRESSION zstd)")


def check(con, ours, theirs):
    columns = "id, coalesce(field, '') AS field, coalesce(local, '') AS local, coalesce(remote, '') AS remote, kind"
    ours, theirs = f"SELECT {columns} FROM '{ours}'", f"SELECT {columns} FROM '{theirs}'"
    counts = [con.execute(f"SELECT count(*) FROM ({q})").fetchone()[0] for q in (ours, theirs)]
    apart = [con.execute(f"SELECT * FROM ({a} EXCEPT ALL {b}) LIMIT 3").fetchall() for a, b in ((ours, theirs), (theirs, ours))]
    if apart[0] or apart[1]:
        sys.exit(f"the differences differ: ours alone {apart[0]}, theirs alone {apart[1]}")
    return {"differences": counts[0]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["make", "diff", "check"])
    for name in ("dir", "left", "right", "out", "ours", "theirs", "plan"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--rows", type=int)
    args = parser.parse_args()
    start = time.monotonic()
    con = duckdb.connect()
    con.execute("SET threads = 2")
    told = {}
    if args.what == "make":
        make(con, args.rows, args.dir)
    elif args.what == "diff":
        diff(con, args.plan, args.left, args.right, args.out)
    else:
        told = check(con, args.ours, args.theirs)
    seconds = time.monotonic() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told |= {"seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "peak_mib": usage.ru_maxrss / 1024, "version": duckdb.__version__}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
