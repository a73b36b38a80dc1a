//! Every command of Redis 1.0 to 8.6, Valkey to 9.1 and `KeyDB`, a row each.
//!
//! `read` changes no data, `write` is executed by the named function, `lost` writes and cannot be replayed.
//! Names, versions, arities and key positions are what the servers' own `COMMAND` and `COMMAND DOCS` say; where
//! versions differ in arity, the loosest.

use super::state::Handler;
use super::table::{Command, Flags, Group, Keys};
use super::{
    bitmaps, geo_store, hashes, hyperloglogs, keys, lists, restore, scripting, server, sets, sort, streams, strings,
    vectors, zsets,
};

/// All rows.
pub(super) static CATALOGUE: &[&[Command]] = &[
    BITMAPS,
    CLUSTERING,
    CONNECTIONS,
    GENERICS,
    GEOS,
    HASHES,
    HYPERLOGLOGS,
    LISTS,
    VECTOR_SETS,
    PUBSUBS,
    SCRIPTS,
    SERVERS,
    SETS,
    SORTED_SETS,
    STREAMS,
    STRINGS,
    TRANSACTION_COMMANDS,
];

const NO_KEY: Keys = Keys::None;
const FIRST: Keys = Keys::Every { first: 1, last: 1, step: 1 };
const SECOND: Keys = Keys::Every { first: 2, last: 2, step: 1 };
const FIRST_TWO: Keys = Keys::Every { first: 1, last: 2, step: 1 };
const ALL: Keys = Keys::Every { first: 1, last: -1, step: 1 };

const BITMAP: Rows = Rows(Group::Bitmap);
const CLUSTER: Rows = Rows(Group::Cluster);
const CONNECTION: Rows = Rows(Group::Connection);
const GENERIC: Rows = Rows(Group::Generic);
const GEO: Rows = Rows(Group::Geo);
const HASH: Rows = Rows(Group::Hash);
const HYPERLOGLOG: Rows = Rows(Group::HyperLogLog);
const LIST: Rows = Rows(Group::List);
const MODULE: Rows = Rows(Group::Module);
const PUBSUB: Rows = Rows(Group::PubSub);
const SCRIPTING: Rows = Rows(Group::Scripting);
const SERVER: Rows = Rows(Group::Server);
const SET: Rows = Rows(Group::Set);
const SORTED_SET: Rows = Rows(Group::SortedSet);
const STREAM: Rows = Rows(Group::Stream);
const STRING: Rows = Rows(Group::String);
const TRANSACTIONS: Rows = Rows(Group::Transactions);

/// Makes rows of one group.
struct Rows(Group);

impl Rows {
    const fn read(&self, name: &'static str, since: &'static str, arity: i8, keys: Keys) -> Command {
        Command { name, since, arity, group: self.0, flags: Flags::NONE, keys, subcommands: &[], run: None }
    }

    const fn lost(&self, name: &'static str, since: &'static str, arity: i8, keys: Keys) -> Command {
        self.read(name, since, arity, keys).flagged(Flags::WRITE)
    }

    const fn write(&self, name: &'static str, since: &'static str, arity: i8, keys: Keys, run: Handler) -> Command {
        Command { run: Some(run), ..self.lost(name, since, arity, keys) }
    }

    const fn container(
        &self,
        name: &'static str,
        since: &'static str,
        arity: i8,
        subcommands: &'static [Command],
    ) -> Command {
        Command { subcommands, ..self.read(name, since, arity, NO_KEY).flagged(Flags::CONTAINER) }
    }
}

impl Command {
    const fn flagged(self, flags: Flags) -> Self {
        Self { flags: self.flags.with(flags), ..self }
    }

    const fn deprecated(self) -> Self {
        self.flagged(Flags::DEPRECATED)
    }

    const fn rewritten(self) -> Self {
        self.flagged(Flags::REWRITTEN)
    }

    const fn whole(self) -> Self {
        self.flagged(Flags::WHOLE)
    }

    const fn transaction(self) -> Self {
        self.flagged(Flags::TRANSACTION)
    }

    const fn publish(self) -> Self {
        self.flagged(Flags::PUBLISH)
    }
}

const BITMAPS: &[Command] = &[
    BITMAP.read("BITCOUNT", "2.6.0", -2, FIRST),
    BITMAP.write("BITFIELD", "3.2.0", -2, FIRST, bitmaps::bitfield),
    BITMAP.read("BITFIELD_RO", "6.0.0", -2, FIRST),
    BITMAP.write("BITOP", "2.6.0", -4, Keys::Every { first: 2, last: -1, step: 1 }, bitmaps::bitop),
    BITMAP.read("BITPOS", "2.8.7", -3, FIRST),
    BITMAP.read("GETBIT", "2.2.0", 3, FIRST),
    BITMAP.write("SETBIT", "2.2.0", 4, FIRST, bitmaps::setbit),
];

const CLUSTERING: &[Command] = &[
    CLUSTER.read("ASKING", "3.0.0", 1, NO_KEY),
    CLUSTER.container(
        "CLUSTER",
        "3.0.0",
        -2,
        &[
            CLUSTER.read("CLUSTER ADDSLOTS", "3.0.0", -3, NO_KEY),
            CLUSTER.read("CLUSTER ADDSLOTSRANGE", "7.0.0", -4, NO_KEY),
            CLUSTER.read("CLUSTER BUMPEPOCH", "3.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER CANCELSLOTMIGRATIONS", "valkey-9.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER COUNT-FAILURE-REPORTS", "3.0.0", 3, NO_KEY),
            CLUSTER.read("CLUSTER COUNTKEYSINSLOT", "3.0.0", 3, NO_KEY),
            CLUSTER.read("CLUSTER DELSLOTS", "3.0.0", -3, NO_KEY),
            CLUSTER.read("CLUSTER DELSLOTSRANGE", "7.0.0", -4, NO_KEY),
            CLUSTER.read("CLUSTER FAILOVER", "3.0.0", -2, NO_KEY),
            CLUSTER.write("CLUSTER FLUSHSLOT", "valkey-9.0.0", -3, NO_KEY, server::flushslot),
            CLUSTER.read("CLUSTER FLUSHSLOTS", "3.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER FORGET", "3.0.0", 3, NO_KEY),
            CLUSTER.read("CLUSTER GETKEYSINSLOT", "3.0.0", 4, NO_KEY),
            CLUSTER.read("CLUSTER GETSLOTMIGRATIONS", "valkey-9.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER HELP", "5.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER INFO", "3.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER KEYSLOT", "3.0.0", 3, NO_KEY),
            CLUSTER.read("CLUSTER LINKS", "7.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER MEET", "3.0.0", -4, NO_KEY),
            CLUSTER.read("CLUSTER MIGRATESLOTS", "valkey-9.0.0", -4, NO_KEY),
            CLUSTER.read("CLUSTER MIGRATION", "8.4.0", -4, NO_KEY),
            CLUSTER.read("CLUSTER MYID", "3.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER MYSHARDID", "7.2.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER NODES", "3.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER REPLICAS", "5.0.0", 3, NO_KEY),
            CLUSTER.read("CLUSTER REPLICATE", "3.0.0", 3, NO_KEY),
            CLUSTER.read("CLUSTER RESET", "3.0.0", -2, NO_KEY),
            CLUSTER.read("CLUSTER SAVECONFIG", "3.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER SET-CONFIG-EPOCH", "3.0.0", 3, NO_KEY),
            CLUSTER.read("CLUSTER SETSLOT", "3.0.0", -4, NO_KEY),
            CLUSTER.read("CLUSTER SHARDS", "7.0.0", 2, NO_KEY),
            CLUSTER.read("CLUSTER SLAVES", "3.0.0", 3, NO_KEY).deprecated(),
            CLUSTER.read("CLUSTER SLOT-STATS", "8.2.0", -4, NO_KEY),
            CLUSTER.read("CLUSTER SLOTS", "3.0.0", 2, NO_KEY).deprecated(),
            CLUSTER.read("CLUSTER SYNCSLOTS", "8.4.0", -3, NO_KEY),
        ],
    ),
    CLUSTER.read("CLUSTERSCAN", "valkey-9.1.0", -2, FIRST),
    CLUSTER.read("READONLY", "3.0.0", 1, NO_KEY),
    CLUSTER.read("READWRITE", "3.0.0", 1, NO_KEY),
];

const CONNECTIONS: &[Command] = &[
    CONNECTION.read("AUTH", "1.0.0", -2, NO_KEY),
    CONNECTION.container(
        "CLIENT",
        "2.4.0",
        -2,
        &[
            CONNECTION.read("CLIENT CACHING", "6.0.0", 3, NO_KEY),
            CONNECTION.read("CLIENT CAPA", "valkey-8.0.0", -3, NO_KEY),
            CONNECTION.read("CLIENT GETNAME", "2.6.9", 2, NO_KEY),
            CONNECTION.read("CLIENT GETREDIR", "6.0.0", 2, NO_KEY),
            CONNECTION.read("CLIENT HELP", "5.0.0", 2, NO_KEY),
            CONNECTION.read("CLIENT ID", "5.0.0", 2, NO_KEY),
            CONNECTION.read("CLIENT IMPORT-SOURCE", "valkey-8.1.0", 3, NO_KEY),
            CONNECTION.read("CLIENT INFO", "6.2.0", 2, NO_KEY),
            CONNECTION.read("CLIENT KILL", "2.4.0", -3, NO_KEY),
            CONNECTION.read("CLIENT LIST", "2.4.0", -2, NO_KEY),
            CONNECTION.read("CLIENT NO-EVICT", "7.0.0", 3, NO_KEY),
            CONNECTION.read("CLIENT NO-TOUCH", "7.2.0", 3, NO_KEY),
            CONNECTION.read("CLIENT PAUSE", "3.0.0", -3, NO_KEY),
            CONNECTION.read("CLIENT REPLY", "3.2.0", 3, NO_KEY),
            CONNECTION.read("CLIENT SETINFO", "7.2.0", 4, NO_KEY),
            CONNECTION.read("CLIENT SETNAME", "2.6.9", 3, NO_KEY),
            CONNECTION.read("CLIENT TRACKING", "6.0.0", -3, NO_KEY),
            CONNECTION.read("CLIENT TRACKINGINFO", "6.2.0", 2, NO_KEY),
            CONNECTION.read("CLIENT UNBLOCK", "5.0.0", -3, NO_KEY),
            CONNECTION.read("CLIENT UNPAUSE", "6.2.0", 2, NO_KEY),
        ],
    ),
    CONNECTION.read("ECHO", "1.0.0", 2, NO_KEY),
    CONNECTION.read("HELLO", "6.0.0", -1, NO_KEY),
    CONNECTION.read("HOST:", "2.8.0", -1, NO_KEY),
    CONNECTION.read("PING", "1.0.0", -1, NO_KEY),
    CONNECTION.read("POST", "2.8.0", -1, NO_KEY),
    CONNECTION.read("QUIT", "1.0.0", -1, NO_KEY).deprecated(),
    CONNECTION.read("RESET", "6.2.0", 1, NO_KEY),
    CONNECTION.write("SELECT", "1.0.0", 2, NO_KEY, server::select),
];

const GENERICS: &[Command] = &[
    GENERIC.write("COPY", "6.2.0", -3, FIRST_TWO, keys::copy).whole(),
    GENERIC.write("DEL", "1.0.0", -2, ALL, keys::del).whole(),
    GENERIC.read("DUMP", "2.6.0", 2, FIRST),
    GENERIC.read("EXISTS", "1.0.0", -2, ALL),
    GENERIC.write("EXPIRE", "1.0.0", -3, FIRST, keys::expire).rewritten().whole(),
    GENERIC.write("EXPIREAT", "1.2.0", -3, FIRST, keys::expireat).rewritten().whole(),
    GENERIC.lost("EXPIREMEMBER", "keydb-6.0.0", -4, FIRST),
    GENERIC.lost("EXPIREMEMBERAT", "keydb-6.0.0", 4, FIRST),
    GENERIC.read("EXPIRETIME", "7.0.0", 2, FIRST),
    GENERIC.lost("KEYDB.CRON", "keydb-6.0.0", -5, FIRST).rewritten(),
    GENERIC.read("KEYDB.MEXISTS", "keydb-6.3.0", -2, ALL),
    GENERIC.read("KEYS", "1.0.0", 2, NO_KEY),
    GENERIC.lost("MIGRATE", "2.6.0", -6, Keys::Migrate).rewritten().whole(),
    GENERIC.write("MOVE", "1.0.0", 3, FIRST, keys::move_).whole(),
    GENERIC.container(
        "OBJECT",
        "2.2.3",
        -2,
        &[
            GENERIC.read("OBJECT ENCODING", "2.2.3", 3, SECOND),
            GENERIC.read("OBJECT FREQ", "4.0.0", 3, SECOND),
            GENERIC.read("OBJECT HELP", "6.2.0", 2, NO_KEY),
            GENERIC.read("OBJECT IDLETIME", "2.2.3", 3, SECOND),
            GENERIC.read("OBJECT REFCOUNT", "2.2.3", 3, SECOND),
        ],
    ),
    GENERIC.write("PERSIST", "2.2.0", 2, FIRST, keys::persist).whole(),
    GENERIC.write("PEXPIRE", "2.6.0", -3, FIRST, keys::pexpire).rewritten().whole(),
    GENERIC.write("PEXPIREAT", "2.6.0", -3, FIRST, keys::pexpireat).whole(),
    GENERIC.lost("PEXPIREMEMBERAT", "keydb-6.0.0", 4, FIRST),
    GENERIC.read("PEXPIRETIME", "7.0.0", 2, FIRST),
    GENERIC.read("PTTL", "2.6.0", 2, FIRST),
    GENERIC.read("RANDOMKEY", "1.0.0", 1, NO_KEY),
    GENERIC.write("RENAME", "1.0.0", 3, FIRST_TWO, keys::rename).whole(),
    GENERIC.write("RENAMENX", "1.0.0", 3, FIRST_TWO, keys::renamenx).whole(),
    GENERIC.write("RESTORE", "2.6.0", -4, FIRST, restore::restore).whole(),
    GENERIC.read("SCAN", "2.8.0", -2, NO_KEY),
    GENERIC.write("SORT", "1.0.0", -2, Keys::FirstAndStore, sort::sort),
    GENERIC.read("SORT_RO", "7.0.0", -2, FIRST),
    GENERIC.read("TOUCH", "3.2.1", -2, ALL),
    GENERIC.read("TTL", "1.0.0", 2, FIRST),
    GENERIC.read("TYPE", "1.0.0", 2, FIRST),
    GENERIC.write("UNLINK", "4.0.0", -2, ALL, keys::del).whole(),
    GENERIC.read("WAIT", "3.0.0", 3, NO_KEY),
    GENERIC.read("WAITAOF", "7.2.0", 4, NO_KEY),
];

const GEOS: &[Command] = &[
    GEO.write("GEOADD", "3.2.0", -5, FIRST, geo_store::geoadd).rewritten(),
    GEO.read("GEODIST", "3.2.0", -4, FIRST),
    GEO.read("GEOHASH", "3.2.0", -2, FIRST),
    GEO.read("GEOPOS", "3.2.0", -2, FIRST),
    GEO.write("GEORADIUS", "3.2.0", -6, Keys::FirstAndStore, geo_store::georadius).deprecated().rewritten(),
    GEO.read("GEORADIUS_RO", "3.2.10", -6, FIRST).deprecated(),
    GEO.write("GEORADIUSBYMEMBER", "3.2.0", -5, Keys::FirstAndStore, geo_store::georadiusbymember)
        .deprecated()
        .rewritten(),
    GEO.read("GEORADIUSBYMEMBER_RO", "3.2.10", -5, FIRST).deprecated(),
    GEO.read("GEOSEARCH", "6.2.0", -7, FIRST),
    GEO.write("GEOSEARCHSTORE", "6.2.0", -8, FIRST_TWO, geo_store::geosearchstore),
];

const HASHES: &[Command] = &[
    HASH.write("HDEL", "2.0.0", -3, FIRST, hashes::hdel),
    HASH.read("HEXISTS", "2.0.0", 3, FIRST),
    HASH.write("HEXPIRE", "7.4.0", -6, FIRST, hashes::hexpire).rewritten(),
    HASH.write("HEXPIREAT", "7.4.0", -6, FIRST, hashes::hexpireat).rewritten(),
    HASH.read("HEXPIRETIME", "7.4.0", -5, FIRST),
    HASH.read("HGET", "2.0.0", 3, FIRST),
    HASH.read("HGETALL", "2.0.0", 2, FIRST),
    HASH.write("HGETDEL", "8.0.0", -5, FIRST, hashes::hgetdel).rewritten(),
    HASH.write("HGETEX", "8.0.0", -5, FIRST, hashes::hgetex).rewritten(),
    HASH.write("HINCRBY", "2.0.0", 4, FIRST, hashes::hincrby),
    HASH.write("HINCRBYFLOAT", "2.6.0", 4, FIRST, hashes::hincrbyfloat).rewritten(),
    HASH.read("HKEYS", "2.0.0", 2, FIRST),
    HASH.read("HLEN", "2.0.0", 2, FIRST),
    HASH.read("HMGET", "2.0.0", -3, FIRST),
    HASH.write("HMSET", "2.0.0", -4, FIRST, hashes::hset).deprecated(),
    HASH.write("HPERSIST", "7.4.0", -5, FIRST, hashes::hpersist),
    HASH.write("HPEXPIRE", "7.4.0", -6, FIRST, hashes::hpexpire).rewritten(),
    HASH.write("HPEXPIREAT", "7.4.0", -6, FIRST, hashes::hpexpireat),
    HASH.read("HPEXPIRETIME", "7.4.0", -5, FIRST),
    HASH.read("HPTTL", "7.4.0", -5, FIRST),
    HASH.read("HRANDFIELD", "6.2.0", -2, FIRST),
    HASH.lost("HRENAME", "keydb-6.3.0", 4, FIRST),
    HASH.read("HSCAN", "2.8.0", -3, FIRST),
    HASH.write("HSET", "2.0.0", -4, FIRST, hashes::hset),
    HASH.write("HSETEX", "8.0.0", -6, FIRST, hashes::hsetex),
    HASH.write("HSETNX", "2.0.0", 4, FIRST, hashes::hsetnx),
    HASH.read("HSTRLEN", "3.2.0", 3, FIRST),
    HASH.read("HTTL", "7.4.0", -5, FIRST),
    HASH.read("HVALS", "2.0.0", 2, FIRST),
    HASH.lost("KEYDB.HRENAME", "keydb-6.3.0", 4, FIRST),
    HASH.read("KEYDB.NHGET", "keydb-6.2.0", -2, FIRST),
    HASH.lost("KEYDB.NHSET", "keydb-6.2.0", -3, FIRST),
];

const HYPERLOGLOGS: &[Command] = &[
    HYPERLOGLOG.write("PFADD", "2.8.9", -2, FIRST, hyperloglogs::pfadd),
    HYPERLOGLOG.write("PFCOUNT", "2.8.9", -2, ALL, hyperloglogs::pfcount),
    HYPERLOGLOG.write("PFDEBUG", "2.8.9", -3, SECOND, hyperloglogs::pfdebug),
    HYPERLOGLOG.write("PFMERGE", "2.8.9", -2, ALL, hyperloglogs::pfmerge),
    HYPERLOGLOG.read("PFSELFTEST", "2.8.9", 1, NO_KEY),
];

const LISTS: &[Command] = &[
    LIST.write("BLMOVE", "6.2.0", 6, FIRST_TWO, lists::blmove).rewritten(),
    LIST.write("BLMPOP", "7.0.0", -5, Keys::Counted(2), lists::blmpop).rewritten(),
    LIST.write("BLPOP", "2.0.0", -3, Keys::Every { first: 1, last: -2, step: 1 }, lists::blpop).rewritten(),
    LIST.write("BRPOP", "2.0.0", -3, Keys::Every { first: 1, last: -2, step: 1 }, lists::brpop).rewritten(),
    LIST.write("BRPOPLPUSH", "2.2.0", 4, FIRST_TWO, lists::brpoplpush).deprecated().rewritten(),
    LIST.read("LINDEX", "1.0.0", 3, FIRST),
    LIST.write("LINSERT", "2.2.0", 5, FIRST, lists::linsert),
    LIST.read("LLEN", "1.0.0", 2, FIRST),
    LIST.write("LMOVE", "6.2.0", 5, FIRST_TWO, lists::lmove),
    LIST.write("LMPOP", "7.0.0", -4, Keys::Counted(1), lists::lmpop).rewritten(),
    LIST.write("LPOP", "1.0.0", -2, FIRST, lists::lpop),
    LIST.read("LPOS", "6.0.6", -3, FIRST),
    LIST.write("LPUSH", "1.0.0", -3, FIRST, lists::lpush),
    LIST.write("LPUSHX", "2.2.0", -3, FIRST, lists::lpushx),
    LIST.read("LRANGE", "1.0.0", 4, FIRST),
    LIST.write("LREM", "1.0.0", 4, FIRST, lists::lrem),
    LIST.write("LSET", "1.0.0", 4, FIRST, lists::lset),
    LIST.write("LTRIM", "1.0.0", 4, FIRST, lists::ltrim),
    LIST.write("RPOP", "1.0.0", -2, FIRST, lists::rpop),
    LIST.write("RPOPLPUSH", "1.2.0", 3, FIRST_TWO, lists::rpoplpush).deprecated(),
    LIST.write("RPUSH", "1.0.0", -3, FIRST, lists::rpush),
    LIST.write("RPUSHX", "2.2.0", -3, FIRST, lists::rpushx),
];

const VECTOR_SETS: &[Command] = &[
    MODULE.write("VADD", "8.0.0", -5, FIRST, vectors::vadd),
    MODULE.read("VCARD", "8.0.0", 2, FIRST),
    MODULE.read("VDIM", "8.0.0", 2, FIRST),
    MODULE.read("VEMB", "8.0.0", -3, FIRST),
    MODULE.read("VGETATTR", "8.0.0", 3, FIRST),
    MODULE.read("VINFO", "8.0.0", 2, FIRST),
    MODULE.read("VISMEMBER", "8.2.0", 3, FIRST),
    MODULE.read("VLINKS", "8.0.0", -3, FIRST),
    MODULE.read("VRANDMEMBER", "8.0.0", -2, FIRST),
    MODULE.read("VRANGE", "8.4.0", -4, FIRST),
    MODULE.write("VREM", "8.0.0", 3, FIRST, vectors::vrem),
    MODULE.write("VSETATTR", "8.0.0", 4, FIRST, vectors::vsetattr),
    MODULE.read("VSIM", "8.0.0", -4, FIRST),
];

const PUBSUBS: &[Command] = &[
    PUBSUB.read("PSUBSCRIBE", "2.0.0", -2, NO_KEY),
    PUBSUB.read("PUBLISH", "2.0.0", 3, NO_KEY).publish(),
    PUBSUB.container(
        "PUBSUB",
        "2.8.0",
        -2,
        &[
            PUBSUB.read("PUBSUB CHANNELS", "2.8.0", -2, NO_KEY),
            PUBSUB.read("PUBSUB HELP", "6.2.0", 2, NO_KEY),
            PUBSUB.read("PUBSUB NUMPAT", "2.8.0", 2, NO_KEY),
            PUBSUB.read("PUBSUB NUMSUB", "2.8.0", -2, NO_KEY),
            PUBSUB.read("PUBSUB SHARDCHANNELS", "7.0.0", -2, NO_KEY),
            PUBSUB.read("PUBSUB SHARDNUMSUB", "7.0.0", -2, NO_KEY),
        ],
    ),
    PUBSUB.read("PUNSUBSCRIBE", "2.0.0", -1, NO_KEY),
    PUBSUB.read("SPUBLISH", "7.0.0", 3, FIRST).publish(),
    PUBSUB.read("SSUBSCRIBE", "7.0.0", -2, ALL),
    PUBSUB.read("SUBSCRIBE", "2.0.0", -2, NO_KEY),
    PUBSUB.read("SUNSUBSCRIBE", "7.0.0", -1, ALL),
    PUBSUB.read("UNSUBSCRIBE", "2.0.0", -1, NO_KEY),
];

const SCRIPTS: &[Command] = &[
    SCRIPTING.write("EVAL", "2.6.0", -3, Keys::Counted(2), scripting::eval).rewritten(),
    SCRIPTING.read("EVAL_RO", "7.0.0", -3, Keys::Counted(2)),
    SCRIPTING.write("EVALSHA", "2.6.0", -3, Keys::Counted(2), scripting::evalsha).rewritten(),
    SCRIPTING.read("EVALSHA_RO", "7.0.0", -3, Keys::Counted(2)),
    SCRIPTING.write("FCALL", "7.0.0", -3, Keys::Counted(2), scripting::fcall).rewritten(),
    SCRIPTING.read("FCALL_RO", "7.0.0", -3, Keys::Counted(2)),
    SCRIPTING.container(
        "FUNCTION",
        "7.0.0",
        -2,
        &[
            SCRIPTING.write("FUNCTION DELETE", "7.0.0", 3, NO_KEY, scripting::function_delete),
            SCRIPTING.read("FUNCTION DUMP", "7.0.0", 2, NO_KEY),
            SCRIPTING.write("FUNCTION FLUSH", "7.0.0", -2, NO_KEY, scripting::function_flush),
            SCRIPTING.read("FUNCTION HELP", "7.0.0", 2, NO_KEY),
            SCRIPTING.read("FUNCTION KILL", "7.0.0", 2, NO_KEY),
            SCRIPTING.read("FUNCTION LIST", "7.0.0", -2, NO_KEY),
            SCRIPTING.write("FUNCTION LOAD", "7.0.0", -3, NO_KEY, scripting::function_load),
            SCRIPTING.write("FUNCTION RESTORE", "7.0.0", -3, NO_KEY, scripting::function_restore),
            SCRIPTING.read("FUNCTION STATS", "7.0.0", 2, NO_KEY),
        ],
    ),
    SCRIPTING.container(
        "SCRIPT",
        "2.6.0",
        -2,
        &[
            SCRIPTING.read("SCRIPT DEBUG", "3.2.0", 3, NO_KEY),
            SCRIPTING.read("SCRIPT EXISTS", "2.6.0", -3, NO_KEY),
            SCRIPTING.write("SCRIPT FLUSH", "2.6.0", -2, NO_KEY, scripting::script_flush),
            SCRIPTING.read("SCRIPT HELP", "5.0.0", 2, NO_KEY),
            SCRIPTING.read("SCRIPT KILL", "2.6.0", 2, NO_KEY),
            SCRIPTING.write("SCRIPT LOAD", "2.6.0", 3, NO_KEY, scripting::script_load),
            SCRIPTING.read("SCRIPT SHOW", "valkey-8.0.0", 3, NO_KEY),
        ],
    ),
];

const SERVERS: &[Command] = &[
    SERVER.container(
        "ACL",
        "6.0.0",
        -2,
        &[
            SERVER.read("ACL CAT", "6.0.0", -2, NO_KEY),
            SERVER.read("ACL DELUSER", "6.0.0", -3, NO_KEY),
            SERVER.read("ACL DRYRUN", "7.0.0", -4, NO_KEY),
            SERVER.read("ACL GENPASS", "6.0.0", -2, NO_KEY),
            SERVER.read("ACL GETUSER", "6.0.0", 3, NO_KEY),
            SERVER.read("ACL HELP", "6.0.0", 2, NO_KEY),
            SERVER.read("ACL LIST", "6.0.0", 2, NO_KEY),
            SERVER.read("ACL LOAD", "6.0.0", 2, NO_KEY),
            SERVER.read("ACL LOG", "6.0.0", -2, NO_KEY),
            SERVER.read("ACL SAVE", "6.0.0", 2, NO_KEY),
            SERVER.read("ACL SETUSER", "6.0.0", -3, NO_KEY),
            SERVER.read("ACL USERS", "6.0.0", 2, NO_KEY),
            SERVER.read("ACL WHOAMI", "6.0.0", 2, NO_KEY),
        ],
    ),
    SERVER.read("BGREWRITEAOF", "1.0.0", 1, NO_KEY),
    SERVER.read("BGSAVE", "1.0.0", -1, NO_KEY),
    SERVER.container(
        "COMMAND",
        "2.8.13",
        -1,
        &[
            SERVER.read("COMMAND COUNT", "2.8.13", 2, NO_KEY),
            SERVER.read("COMMAND DOCS", "7.0.0", -2, NO_KEY),
            SERVER.read("COMMAND GETKEYS", "2.8.13", -3, NO_KEY),
            SERVER.read("COMMAND GETKEYSANDFLAGS", "7.0.0", -3, NO_KEY),
            SERVER.read("COMMAND HELP", "5.0.0", 2, NO_KEY),
            SERVER.read("COMMAND INFO", "2.8.13", -2, NO_KEY),
            SERVER.read("COMMAND LIST", "7.0.0", -2, NO_KEY),
        ],
    ),
    SERVER.container(
        "COMMANDLOG",
        "valkey-8.1.0",
        -2,
        &[
            SERVER.read("COMMANDLOG GET", "valkey-8.1.0", 4, NO_KEY),
            SERVER.read("COMMANDLOG HELP", "valkey-8.1.0", 2, NO_KEY),
            SERVER.read("COMMANDLOG LEN", "valkey-8.1.0", 3, NO_KEY),
            SERVER.read("COMMANDLOG RESET", "valkey-8.1.0", 3, NO_KEY),
        ],
    ),
    SERVER.container(
        "CONFIG",
        "2.0.0",
        -2,
        &[
            SERVER.read("CONFIG GET", "2.0.0", -3, NO_KEY),
            SERVER.read("CONFIG HELP", "5.0.0", 2, NO_KEY),
            SERVER.read("CONFIG RESETSTAT", "2.0.0", 2, NO_KEY),
            SERVER.read("CONFIG REWRITE", "2.8.0", 2, NO_KEY),
            SERVER.read("CONFIG SET", "2.0.0", -4, NO_KEY),
        ],
    ),
    SERVER.read("DBSIZE", "1.0.0", 1, NO_KEY),
    SERVER.read("DEBUG", "1.0.0", -2, NO_KEY),
    SERVER.read("FAILOVER", "6.2.0", -1, NO_KEY),
    SERVER.write("FLUSHALL", "1.0.0", -1, NO_KEY, server::flushall).whole(),
    SERVER.write("FLUSHDB", "1.0.0", -1, NO_KEY, server::flushdb).whole(),
    SERVER.container(
        "HOTKEYS",
        "8.6.0",
        -2,
        &[
            SERVER.read("HOTKEYS GET", "8.6.0", 2, NO_KEY),
            SERVER.read("HOTKEYS HELP", "8.6.1", 2, NO_KEY),
            SERVER.read("HOTKEYS RESET", "8.6.0", 2, NO_KEY),
            SERVER.read("HOTKEYS START", "8.6.0", -2, NO_KEY),
            SERVER.read("HOTKEYS STOP", "8.6.0", 2, NO_KEY),
        ],
    ),
    SERVER.read("INFO", "1.0.0", -1, NO_KEY),
    SERVER.read("LASTSAVE", "1.0.0", 1, NO_KEY),
    SERVER.container(
        "LATENCY",
        "2.8.13",
        -2,
        &[
            SERVER.read("LATENCY DOCTOR", "2.8.13", 2, NO_KEY),
            SERVER.read("LATENCY GRAPH", "2.8.13", 3, NO_KEY),
            SERVER.read("LATENCY HELP", "2.8.13", 2, NO_KEY),
            SERVER.read("LATENCY HISTOGRAM", "7.0.0", -2, NO_KEY),
            SERVER.read("LATENCY HISTORY", "2.8.13", 3, NO_KEY),
            SERVER.read("LATENCY LATEST", "2.8.13", 2, NO_KEY),
            SERVER.read("LATENCY RESET", "2.8.13", -2, NO_KEY),
        ],
    ),
    SERVER.read("LOLWUT", "5.0.0", -1, NO_KEY),
    SERVER.container(
        "MEMORY",
        "4.0.0",
        -2,
        &[
            SERVER.read("MEMORY DOCTOR", "4.0.0", 2, NO_KEY),
            SERVER.read("MEMORY HELP", "4.0.0", 2, NO_KEY),
            SERVER.read("MEMORY MALLOC-STATS", "4.0.0", 2, NO_KEY),
            SERVER.read("MEMORY PURGE", "4.0.0", 2, NO_KEY),
            SERVER.read("MEMORY STATS", "4.0.0", 2, NO_KEY),
            SERVER.read("MEMORY USAGE", "4.0.0", -3, SECOND),
        ],
    ),
    SERVER.container(
        "MODULE",
        "4.0.0",
        -2,
        &[
            SERVER.read("MODULE HELP", "5.0.0", 2, NO_KEY),
            SERVER.read("MODULE LIST", "4.0.0", 2, NO_KEY),
            SERVER.read("MODULE LOAD", "4.0.0", -3, NO_KEY),
            SERVER.read("MODULE LOADEX", "7.0.0", -3, NO_KEY),
            SERVER.read("MODULE UNLOAD", "4.0.0", 3, NO_KEY),
        ],
    ),
    SERVER.read("MONITOR", "1.0.0", 1, NO_KEY),
    SERVER.read("PSYNC", "2.8.0", -3, NO_KEY),
    SERVER.read("REPLCONF", "3.0.0", -1, NO_KEY),
    SERVER.read("REPLICAOF", "5.0.0", 3, NO_KEY),
    SERVER.write("RESTORE-ASKING", "3.0.0", -4, FIRST, restore::restore).whole(),
    SERVER.read("RESTOREMODAUX", "redis-enterprise", -2, NO_KEY),
    SERVER.read("ROLE", "2.8.12", 1, NO_KEY),
    SERVER.read("RREPLAY", "keydb-5.0.0", -3, NO_KEY),
    SERVER.read("SAVE", "1.0.0", 1, NO_KEY),
    SERVER.write("SFLUSH", "8.0.0", -3, NO_KEY, server::sflush),
    SERVER.read("SHUTDOWN", "1.0.0", -1, NO_KEY),
    SERVER.read("SLAVEOF", "1.0.0", 3, NO_KEY).deprecated(),
    SERVER.container(
        "SLOWLOG",
        "2.2.12",
        -2,
        &[
            SERVER.read("SLOWLOG GET", "2.2.12", -2, NO_KEY),
            SERVER.read("SLOWLOG HELP", "6.2.0", 2, NO_KEY),
            SERVER.read("SLOWLOG LEN", "2.2.12", 2, NO_KEY),
            SERVER.read("SLOWLOG RESET", "2.2.12", 2, NO_KEY),
        ],
    ),
    SERVER.write("SWAPDB", "4.0.0", 3, NO_KEY, server::swapdb).whole(),
    SERVER.read("SYNC", "1.0.0", 1, NO_KEY),
    SERVER.read("TIME", "2.6.0", 1, NO_KEY),
    SERVER.write("TRIMSLOTS", "8.4.0", -5, NO_KEY, server::trimslots),
];

const SETS: &[Command] = &[
    SET.write("SADD", "1.0.0", -3, FIRST, sets::sadd),
    SET.read("SCARD", "1.0.0", 2, FIRST),
    SET.read("SDIFF", "1.0.0", -2, ALL),
    SET.write("SDIFFSTORE", "1.0.0", -3, ALL, sets::sdiffstore),
    SET.read("SINTER", "1.0.0", -2, ALL),
    SET.read("SINTERCARD", "7.0.0", -3, Keys::Counted(1)),
    SET.write("SINTERSTORE", "1.0.0", -3, ALL, sets::sinterstore),
    SET.read("SISMEMBER", "1.0.0", 3, FIRST),
    SET.read("SMEMBERS", "1.0.0", 2, FIRST),
    SET.read("SMISMEMBER", "6.2.0", -3, FIRST),
    SET.write("SMOVE", "1.0.0", 4, FIRST_TWO, sets::smove),
    SET.write("SPOP", "1.0.0", -2, FIRST, sets::spop).rewritten(),
    SET.read("SRANDMEMBER", "1.0.0", -2, FIRST),
    SET.write("SREM", "1.0.0", -3, FIRST, sets::srem),
    SET.read("SSCAN", "2.8.0", -3, FIRST),
    SET.read("SUNION", "1.0.0", -2, ALL),
    SET.write("SUNIONSTORE", "1.0.0", -3, ALL, sets::sunionstore),
];

const SORTED_SETS: &[Command] = &[
    SORTED_SET.write("BZMPOP", "7.0.0", -5, Keys::Counted(2), zsets::bzmpop).rewritten(),
    SORTED_SET.write("BZPOPMAX", "5.0.0", -3, Keys::Every { first: 1, last: -2, step: 1 }, zsets::bzpopmax).rewritten(),
    SORTED_SET.write("BZPOPMIN", "5.0.0", -3, Keys::Every { first: 1, last: -2, step: 1 }, zsets::bzpopmin).rewritten(),
    SORTED_SET.write("ZADD", "1.2.0", -4, FIRST, zsets::zadd),
    SORTED_SET.read("ZCARD", "1.2.0", 2, FIRST),
    SORTED_SET.read("ZCOUNT", "2.0.0", 4, FIRST),
    SORTED_SET.read("ZDIFF", "6.2.0", -3, Keys::Counted(1)),
    SORTED_SET.write("ZDIFFSTORE", "6.2.0", -4, Keys::StoreCounted, zsets::zdiffstore),
    SORTED_SET.write("ZINCRBY", "1.2.0", 4, FIRST, zsets::zincrby),
    SORTED_SET.read("ZINTER", "6.2.0", -3, Keys::Counted(1)),
    SORTED_SET.read("ZINTERCARD", "7.0.0", -3, Keys::Counted(1)),
    SORTED_SET.write("ZINTERSTORE", "2.0.0", -4, Keys::StoreCounted, zsets::zinterstore),
    SORTED_SET.read("ZLEXCOUNT", "2.8.9", 4, FIRST),
    SORTED_SET.write("ZMPOP", "7.0.0", -4, Keys::Counted(1), zsets::zmpop).rewritten(),
    SORTED_SET.read("ZMSCORE", "6.2.0", -3, FIRST),
    SORTED_SET.write("ZPOPMAX", "5.0.0", -2, FIRST, zsets::zpopmax),
    SORTED_SET.write("ZPOPMIN", "5.0.0", -2, FIRST, zsets::zpopmin),
    SORTED_SET.read("ZRANDMEMBER", "6.2.0", -2, FIRST),
    SORTED_SET.read("ZRANGE", "1.2.0", -4, FIRST),
    SORTED_SET.read("ZRANGEBYLEX", "2.8.9", -4, FIRST).deprecated(),
    SORTED_SET.read("ZRANGEBYSCORE", "1.0.5", -4, FIRST).deprecated(),
    SORTED_SET.write("ZRANGESTORE", "6.2.0", -5, FIRST_TWO, zsets::zrangestore),
    SORTED_SET.read("ZRANK", "2.0.0", -3, FIRST),
    SORTED_SET.write("ZREM", "1.2.0", -3, FIRST, zsets::zrem),
    SORTED_SET.write("ZREMRANGEBYLEX", "2.8.9", 4, FIRST, zsets::zremrangebylex),
    SORTED_SET.write("ZREMRANGEBYRANK", "2.0.0", 4, FIRST, zsets::zremrangebyrank),
    SORTED_SET.write("ZREMRANGEBYSCORE", "1.2.0", 4, FIRST, zsets::zremrangebyscore),
    SORTED_SET.read("ZREVRANGE", "1.2.0", -4, FIRST).deprecated(),
    SORTED_SET.read("ZREVRANGEBYLEX", "2.8.9", -4, FIRST).deprecated(),
    SORTED_SET.read("ZREVRANGEBYSCORE", "2.2.0", -4, FIRST).deprecated(),
    SORTED_SET.read("ZREVRANK", "2.0.0", -3, FIRST),
    SORTED_SET.read("ZSCAN", "2.8.0", -3, FIRST),
    SORTED_SET.read("ZSCORE", "1.2.0", 3, FIRST),
    SORTED_SET.read("ZUNION", "6.2.0", -3, Keys::Counted(1)),
    SORTED_SET.write("ZUNIONSTORE", "2.0.0", -4, Keys::StoreCounted, zsets::zunionstore),
];

const STREAMS: &[Command] = &[
    STREAM.write("XACK", "5.0.0", -4, FIRST, streams::xack),
    STREAM.write("XACKDEL", "8.2.0", -6, FIRST, streams::xackdel),
    STREAM.write("XADD", "5.0.0", -5, FIRST, streams::xadd),
    STREAM.write("XAUTOCLAIM", "6.2.0", -6, FIRST, streams::xautoclaim).rewritten(),
    STREAM.write("XCFGSET", "8.6.0", -2, FIRST, streams::xcfgset),
    STREAM.write("XCLAIM", "5.0.0", -6, FIRST, streams::xclaim),
    STREAM.write("XDEL", "5.0.0", -3, FIRST, streams::xdel),
    STREAM.write("XDELEX", "8.2.0", -5, FIRST, streams::xdelex),
    STREAM.container(
        "XGROUP",
        "5.0.0",
        -2,
        &[
            STREAM.write("XGROUP CREATE", "5.0.0", -5, SECOND, streams::xgroup_create),
            STREAM.write("XGROUP CREATECONSUMER", "6.2.0", 5, SECOND, streams::xgroup_createconsumer),
            STREAM.write("XGROUP DELCONSUMER", "5.0.0", 5, SECOND, streams::xgroup_delconsumer),
            STREAM.write("XGROUP DESTROY", "5.0.0", 4, SECOND, streams::xgroup_destroy),
            STREAM.read("XGROUP HELP", "5.0.0", 2, NO_KEY),
            STREAM.write("XGROUP SETID", "5.0.0", -5, SECOND, streams::xgroup_setid),
        ],
    ),
    STREAM.write("XIDMPRECORD", "8.6.2", 5, FIRST, streams::xidmprecord),
    STREAM.container(
        "XINFO",
        "5.0.0",
        -2,
        &[
            STREAM.read("XINFO CONSUMERS", "5.0.0", 4, SECOND),
            STREAM.read("XINFO GROUPS", "5.0.0", 3, SECOND),
            STREAM.read("XINFO HELP", "5.0.0", 2, NO_KEY),
            STREAM.read("XINFO STREAM", "5.0.0", -3, SECOND),
        ],
    ),
    STREAM.read("XLEN", "5.0.0", 2, FIRST),
    STREAM.read("XPENDING", "5.0.0", -3, FIRST),
    STREAM.read("XRANGE", "5.0.0", -4, FIRST),
    STREAM.read("XREAD", "5.0.0", -4, Keys::Streams),
    STREAM.write("XREADGROUP", "5.0.0", -7, Keys::Streams, streams::xreadgroup).rewritten(),
    STREAM.read("XREVRANGE", "5.0.0", -4, FIRST),
    STREAM.write("XSETID", "5.0.0", -3, FIRST, streams::xsetid),
    STREAM.write("XTRIM", "5.0.0", -4, FIRST, streams::xtrim),
];

const STRINGS: &[Command] = &[
    STRING.write("APPEND", "2.0.0", 3, FIRST, strings::append),
    STRING.write("DECR", "1.0.0", 2, FIRST, strings::decr),
    STRING.write("DECRBY", "1.0.0", 3, FIRST, strings::decrby),
    STRING.write("DELEX", "8.4.0", -2, FIRST, strings::delex).rewritten(),
    STRING.write("DELIFEQ", "valkey-9.0.0", 3, FIRST, strings::delifeq).rewritten(),
    STRING.read("DIGEST", "8.4.0", 2, FIRST),
    STRING.read("GET", "1.0.0", 2, FIRST),
    STRING.write("GETDEL", "6.2.0", 2, FIRST, strings::getdel).rewritten(),
    STRING.write("GETEX", "6.2.0", -2, FIRST, strings::getex).rewritten(),
    STRING.read("GETRANGE", "2.4.0", 4, FIRST),
    STRING.write("GETSET", "1.0.0", 3, FIRST, strings::getset).deprecated().rewritten(),
    STRING.write("INCR", "1.0.0", 2, FIRST, strings::incr),
    STRING.write("INCRBY", "1.0.0", 3, FIRST, strings::incrby),
    STRING.write("INCRBYFLOAT", "2.6.0", 3, FIRST, strings::incrbyfloat).rewritten(),
    STRING.read("LCS", "7.0.0", -3, FIRST_TWO),
    STRING.read("MGET", "1.0.0", -2, ALL),
    STRING.write("MSET", "1.0.1", -3, Keys::Every { first: 1, last: -1, step: 2 }, strings::mset).whole(),
    STRING.write("MSETEX", "8.4.0", -4, Keys::CountedPairs(1), strings::msetex).whole(),
    STRING.write("MSETNX", "1.0.1", -3, Keys::Every { first: 1, last: -1, step: 2 }, strings::msetnx).whole(),
    STRING.write("PSETEX", "2.6.0", 4, FIRST, strings::psetex).deprecated().rewritten().whole(),
    STRING.write("SET", "1.0.0", -3, FIRST, strings::set).whole(),
    STRING.write("SETEX", "2.0.0", 4, FIRST, strings::setex).deprecated().rewritten().whole(),
    STRING.write("SETNX", "1.0.0", 3, FIRST, strings::setnx).deprecated().whole(),
    STRING.write("SETRANGE", "2.2.0", 4, FIRST, strings::setrange),
    STRING.read("STRALGO", "6.0.0", -2, NO_KEY).deprecated(),
    STRING.read("STRLEN", "2.2.0", 2, FIRST),
    STRING.read("SUBSTR", "1.0.0", 4, FIRST).deprecated(),
];

const TRANSACTION_COMMANDS: &[Command] = &[
    TRANSACTIONS.read("DISCARD", "2.0.0", 1, NO_KEY).transaction(),
    TRANSACTIONS.read("EXEC", "1.2.0", 1, NO_KEY).transaction(),
    TRANSACTIONS.read("MULTI", "1.2.0", 1, NO_KEY).transaction(),
    TRANSACTIONS.read("UNWATCH", "2.2.0", 1, NO_KEY),
    TRANSACTIONS.read("WATCH", "2.2.0", -2, ALL),
];
