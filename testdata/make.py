#!/usr/bin/env python3
"""Makes the files of this folder again, with real servers.

usage: make.py [NAME=REDIS_SERVER...]    for instance: make.py redis-7.0.15=/usr/bin/redis-server
Each server writes the files that the tables below give it, and says beside each what it holds (.json).
Standard library only.
"""
import base64, json, os, shutil, socket, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
LATE = "4102444800000"  # the year 2100
LONG = "x" * 70         # longer than what the packed encodings of collections take
FAR = "the quick brown fox jumps over the lazy dog "

STRINGS = ["SET raw hello", "SET i8 -100", "SET i16 1000", "SET i32 -2147483648", "SET big 9223372036854775807",
           ["SET", "lzf", FAR * 3], ["SET", "empty", ""], ["SET", "binary", b"\x00\xff\r\n\x1b[31m"], ["SET", "", "the empty key"],
           ["SET", "a" * 70, "a long key"], ["SET", "padded", "007"]]
STREAM = ["XADD s 1-1 f v", "XADD s 1-2 f w", "XADD s 2-0 f x g y", "XADD s 5-0 other shape", "XDEL s 1-2",
          "XGROUP CREATE s g 0", "XREADGROUP GROUP g c COUNT 2 STREAMS s >", "XACK s g 1-1", "XGROUP CREATE s idle $",
          "XADD gone 1-1 a b", "XDEL gone 1-1"]
EXPIRES = ["SET a 1", "PEXPIREAT a " + LATE, "SET b 2", "SELECT 3", "SADD s 1 2", "PEXPIREAT s 4102444800100"]

CASES = {
    # encoding: the commands that lead to it
    "strings": STRINGS,
    "quicklist": ["RPUSH l a 5 -100 1000 70000 1099511627776", ["RPUSH", "l", FAR], ["RPUSH", "big"] + [FAR + str(n) for n in range(12)]],
    "hashtable-set": [["SADD", "s", "a", "10", LONG]],
    "intset": ["SADD w2 -5 1 2", "SADD w4 -5 1 100000", "SADD w8 -5 1 1099511627776"],
    "skiplist": [["ZADD", "z", "1.5", "a", "inf", "b", "-inf", "c", "-0", "zero", "1e300", LONG]],
    "packed-zset": ["ZADD z 1.5 a 2 b -inf c 3 7"],
    "hashtable": [["HSET", "h", "f", "v", "n", "12", "l", LONG]],
    "packed-hash": ["HSET h f v k 12 7 x"],
    "packed-set": ["SADD s a 5 b"],
    "stream": STREAM,
    "expires": EXPIRES,
    "frequencies": ["CONFIG SET maxmemory-policy allkeys-lfu", "SET a 1", "GET a", "RPUSH l x"],
    "idle": ["CONFIG SET maxmemory-policy allkeys-lru", "SET a 1", "RPUSH l x", "PEXPIREAT l " + LATE],
    "no-checksum": ["SET a 1"],
    "function": [["FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)"], "SET a 1"],
    "hash-field-expiry": ["HSET h a 1 b 2 c 3", "HPEXPIREAT h " + LATE + " FIELDS 1 a", "HPEXPIREAT h 4102444800005 FIELDS 1 b"],
    "hashtable-field-expiry": [["HSET", "h", "a", "1", "b", LONG, "c", "3"], "HPEXPIREAT h " + LATE + " FIELDS 1 a", "HPEXPIREAT h 4102444801000 FIELDS 1 c"],
    "plain-node": ["CONFIG SET list-max-listpack-size 4", "RPUSH l a 1 -1 127 128 4095 -4096 32768 -8388609 2147483648 4611686018427387904", ["RPUSH", "big", "x" * 5000, "after"]],
    "slots": ["SET a 1", "SET {a}b 2", "SET c 3"],
    "everything": STRINGS + ["RPUSH l a 5 x", "SADD is 1 2 3", "SADD sl a b", "ZADD z 1.5 a 2 b", "HSET h f v"] + STREAM + EXPIRES,
}
OLD = ["strings", "quicklist", "hashtable-set", "intset", "skiplist", "packed-zset", "hashtable", "packed-hash", "stream", "expires", "frequencies", "idle", "no-checksum"]
SERVERS = {
    "redis-6.0.16": OLD,
    "redis-7.0.15": ["plain-node", "packed-zset", "packed-hash", "stream", "function", "everything"],
    "redict-7.3.6": ["everything"],
    "valkey-8.1.1": ["packed-set", "stream", "everything"],
    "redis-8.0.2": ["packed-set", "stream", "hash-field-expiry", "hashtable-field-expiry", "slots"],
    "redis-8.6.3": ["stream", "everything"],
    "valkey-9.1.2": ["hash-field-expiry", "hashtable-field-expiry", "stream", "everything"],
}
# The names under which the encodings are known, by server generation.
NAMES = {"packed-zset": "zset-ziplist", "packed-hash": "hash-ziplist"}
NEW_NAMES = {"packed-zset": "zset-listpack", "packed-hash": "hash-listpack", "packed-set": "set-listpack", "plain-node": "quicklist2"}

CHAT = ["SADD online_users ann bob", "ZADD user_status 1 ann 1 bob",
        ["RPUSH", "chat_history:ann", '{"from":"ann","to":"bob","text":"hi"}'], "INCR visits", "INCRBYFLOAT load 0.1",
        "MULTI", ["RPUSH", "chat_history:bob", '{"from":"bob","to":"ann","text":"caf\u00e9"}'], "ZADD user_status 0 bob", "EXEC",
        "SREM online_users bob", "SELECT 2", "SET other 1", "PEXPIREAT other " + LATE, "SELECT 0", "DEL visits"]
LOGS = {
    # name: (server, configuration, commands before a rewrite or None, commands after it)
    "chat_redis-6.0.aof": ("redis-6.0.16", [], None, CHAT),
    "chat-preamble_redis-6.0.aof": ("redis-6.0.16", [], CHAT[:5], CHAT[5:]),
    "chat_redis-7.0": ("redis-7.0.15", [], CHAT[:5], CHAT[5:]),
    "chat-timestamps_redis-7.0": ("redis-7.0.15", ["--aof-timestamp-enabled", "yes"], None, CHAT),
    "chat_redis-8.6": ("redis-8.6.3", [], CHAT[:5], CHAT[5:]),
    "chat_valkey-9.1": ("valkey-9.1.2", [], CHAT[:5], CHAT[5:]),
}


class Server:
    def __init__(self, binary, *config):
        self.dir = tempfile.mkdtemp()
        path = os.path.join(self.dir, "s")
        command = [binary, "--port", "0", "--unixsocket", path, "--dir", self.dir, "--save", "", "--hash-max-ziplist-value", "64"]
        self.process = subprocess.Popen(command + list(config), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_UNIX)
        for _ in range(400):
            try:
                self.socket.connect(path)
                break
            except OSError:
                time.sleep(0.02)
        self.input = self.socket.makefile("rb")

    def __call__(self, *words):
        if len(words) == 1 and isinstance(words[0], str):
            words = words[0].split(" ")
        words = [w if isinstance(w, bytes) else w.encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self.reply()

    def reply(self):
        line = self.input.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            return self.input.read(int(rest) + 2)[:-2] if int(rest) >= 0 else None
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))] if int(rest) >= 0 else None
        return int(rest) if kind == b":" else rest

    def run(self, commands):
        for c in commands:
            self(c) if isinstance(c, str) else self(*c)

    def file(self, *path):
        return os.path.join(self.dir, *path)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir)


def text(b):
    try:
        return b.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(b).decode()}


def pairs(flat):
    return list(zip(flat[::2], flat[1::2]))


def value_of(server, kind, key):
    if kind == "string":
        return text(server("GET", key))
    if kind == "list":
        return [text(x) for x in server("LRANGE", key, "0", "-1")]
    if kind == "set":
        return sorted((text(x) for x in server("SMEMBERS", key)), key=str)
    if kind == "zset":
        return [{"member": text(m), "score": text(s)} for m, s in pairs(server("ZRANGE", key, "0", "-1", "WITHSCORES"))]
    if kind == "hash":
        fields = []
        for f, v in sorted(pairs(server("HGETALL", key))):
            field = {"field": text(f), "value": text(v)}
            try:
                when = server("HPEXPIRETIME", key, "FIELDS", "1", f)[0]
                if when >= 0:
                    field["expires_at_ms"] = when
            except RuntimeError:
                pass
            fields.append(field)
        return fields
    info = {k.decode(): v for k, v in pairs(server("XINFO", "STREAM", key, "FULL"))}
    groups = []
    for g in info["groups"]:
        g = {k.decode(): v for k, v in pairs(g)}
        consumers = [{k.decode(): v for k, v in pairs(c)} for c in g["consumers"]]
        groups.append({"name": text(g["name"]), "last_id": text(g["last-delivered-id"]),
                       "pending": [text(p[0]) for p in g["pending"]], "consumers": [text(c["name"]) for c in consumers]})
    entries = [{"id": text(i), "fields": [[text(f), text(v)] for f, v in pairs(p)]} for i, p in server("XRANGE", key, "-", "+")]
    return {"entries": entries, "last_id": text(info["last-generated-id"]), "groups": groups}


def expiry_of(server, key):
    try:
        when = server("PEXPIRETIME", key)
    except RuntimeError:  # before 7.0 there is only the time that is left
        left = server("PTTL", key)
        when = -1 if left < 0 else round((time.time() * 1000 + left) / 100) * 100
    return when if when >= 0 else None


def truth(server):
    """Every key as this server sees it."""
    out = []
    for db in range(int(server("CONFIG", "GET", "databases")[1])):
        try:
            server("SELECT", str(db))
        except RuntimeError:  # a cluster has one
            break
        for key in sorted(server("KEYS", "*")):
            kind = server("TYPE", key).decode()
            out.append({"db": db, "key": text(key), "type": kind, "expires_at_ms": expiry_of(server, key), "value": value_of(server, kind, key)})
    return out


def write_json(path, keys):
    with open(path, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(k, ensure_ascii=False) for k in keys) + "\n]\n")


def snapshot(server_name, binary, case):
    config = {"no-checksum": ["--rdbchecksum", "no"], "slots": ["--cluster-enabled", "yes", "--bind", "127.0.0.1", "--port", "7999"]}.get(case, [])
    server = Server(binary, *config)
    try:
        if case == "slots":
            server("CLUSTER", "ADDSLOTS", *[str(n) for n in range(16384)])
            while b"cluster_state:ok" not in server("CLUSTER", "INFO"):
                time.sleep(0.1)
        server.run(CASES[case])
        keys = truth(server)
        server("SAVE")
        with open(server.file("dump.rdb"), "rb") as f:
            data = f.read()
        version = data[:9].decode().lstrip("REDISVALKY").lstrip("0")
        name = (NAMES if server_name.startswith("redis-6") else {**NAMES, **NEW_NAMES}).get(case, case)
        if case == "everything":
            name += "-" + server_name.split("-")[0]
        path = os.path.join(HERE, "rdb", "%s_v%s" % (name, version))
        with open(path + ".rdb", "wb") as f:
            f.write(data)
        write_json(path + ".json", keys)
    finally:
        server.stop()


def log(name, binary, config, before, after):
    server = Server(binary, "--appendonly", "yes", "--appendfsync", "always", *config)
    try:
        if before is not None:
            server.run(before)
            server("BGREWRITEAOF")
            while b"aof_rewrite_in_progress:1" in server("INFO", "persistence") or b"aof_rewrite_scheduled:1" in server("INFO", "persistence"):
                time.sleep(0.02)
        server("SELECT", "0")
        server.run(after)
        target = os.path.join(HERE, "aof", name)
        if os.path.isdir(server.file("appendonlydir")):
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(server.file("appendonlydir"), target)
        else:
            shutil.copy(server.file("appendonly.aof"), target)
        write_json(target.removesuffix(".aof") + ".json", truth(server))
    finally:
        server.stop()


def damage():
    """Copies of files of the other folders, broken as files break."""
    folder = os.path.join(HERE, "damaged")
    os.makedirs(folder, exist_ok=True)

    def read(*path):
        with open(os.path.join(HERE, *path), "rb") as f:
            return f.read()

    def write(name, data):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)

    dump = read("rdb", "everything-redis_v13.rdb")
    at = dump.index(b"\x12\x01l") + 7  # the size in the listpack of the list `l`
    write("one-bit.rdb", dump[:at] + bytes([dump[at] ^ 0x20]) + dump[at + 1:])
    write("cut.rdb", dump[:len(dump) // 2])
    log = read("aof", "chat_redis-6.0.aof")
    write("torn.aof", log[:-9])
    at = log.index(b"user_status")
    write("zeros.aof", log[:at] + bytes(40) + log[at + 40:])


def main():
    binaries = dict(argument.split("=", 1) for argument in sys.argv[1:])
    os.makedirs(os.path.join(HERE, "rdb"), exist_ok=True)
    os.makedirs(os.path.join(HERE, "aof"), exist_ok=True)
    for name, cases in SERVERS.items():
        for case in cases if name in binaries else []:
            snapshot(name, binaries[name], case)
    for name, (server, config, before, after) in LOGS.items():
        if server in binaries:
            log(name, binaries[server], config, before, after)
    damage()


main()
