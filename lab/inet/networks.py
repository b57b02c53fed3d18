"""The small Internet: 32 networks, who is whose provider, who peers with whom, and what each announces.

                  64496 =========== 64497            the core: all four peer with each other
                    ||  \\\\     //  ||
                    ||    =====    ||
                    ||  //     \\\\  ||
                  64498 =========== 64499

   64496      64496,64497     64497     64497,64498    64498        64499     64498,64499     64499
     |            |             |            |           |            |            |            |
   64501 ====== 64502         64503 ====== 64504       64505 ====== 64506        64507 ====== 64508        carriers
     |            |             |            |           |            |            |            |
     +-- 65537    +-- 65539     +-- 65541 (also below 64506)          |            +-- 65545    |
     +-- 65538 ---+             |            +-- 65542   +-- 65543    |            |            |
     |                          |                        +-- 65544 (also below 64508)           |
     +----------+   +-----------+                        |            +-----+ +----+            |
                |   |                                    |                  | |                 |
                64509                                  64510               64511              65540        regional carriers
                |   |                                  |   |                 |                |   |
            64512   |     all prefixes          64513 -+   +- 4200000002 ----+-- 64514        |   +-- 64515
                    |                                  |      (below both)                    |   +-- 4200000001
                    |                                  | all but 198.51.100.0/24              |       (also below 64508)
                    +----------- 4200000000 -----------+ and 2001:db8:b::/48                  |
                                 the target ==================================================+
                                                              (peers)
   65536 hangs by 64496 alone.

A line is a customer below its provider, = are peers.  64500 is the route collector: ten networks tell it all that they use.
"""
TARGET = 4200000000
COLLECTOR = 64500
CORE = [64496, 64497, 64498, 64499]
PROVIDERS = {
    64501: [64496], 64502: [64496, 64497], 64503: [64497], 64504: [64497, 64498],
    64505: [64498], 64506: [64499], 64507: [64498, 64499], 64508: [64499],
    64509: [64501, 64503], 64510: [64505], 64511: [64506, 64507], 65540: [64508],
    TARGET: [64509, 64510],
    65536: [64496], 65537: [64501], 65538: [64501, 64502], 65539: [64502],
    65541: [64503, 64506], 65542: [64504], 65543: [64505], 65544: [64505, 64508], 65545: [64507],
    64512: [64509], 64513: [64510], 64514: [64511], 64515: [65540],
    4200000001: [65540, 64508], 4200000002: [64510, 64511],
}
PEERS = [(a, b) for a in CORE for b in CORE if a < b]
PEERS += [(64501, 64502), (64503, 64504), (64505, 64506), (64507, 64508), (65540, TARGET)]
COLLECTED = [64496, 64498, 64502, 64504, 64507, 64514, 65536, 65538, 65541, 65545]  # who tells the collector

NETWORKS = sorted(set(CORE) | set(PROVIDERS))
NUMBER = {asn: i for i, asn in enumerate(NETWORKS, 1)}  # for addresses and router identifiers

# Everybody has a prefix of each family; the target others, of which some are told to one carrier only.
BOTH = ["203.0.113.0/24", "2001:db8:a::/48"]
ONE = ["198.51.100.0/24", "2001:db8:b::/48"]
ONE_BY = 64509
PREFIXES = {asn: [f"198.19.{n}.0/24", f"2001:db8:{0x100 + n:x}::/48"] for asn, n in NUMBER.items()}
PREFIXES[TARGET] = BOTH + ONE
# More specific ones, told to one provider only: part of the other's traffic moves there.
MORE_SPECIFIC = {65541: (64503, [f"198.19.{NUMBER[65541]}.128/25", f"2001:db8:{0x100 + NUMBER[65541]:x}:8000::/49"])}


def links():
    """(a, b, what b is to a): every link once."""
    rows = [(asn, provider, "provider") for asn, providers in PROVIDERS.items() for provider in providers]
    rows += [(a, b, "peer") for a, b in PEERS]
    return rows + [(asn, COLLECTOR, "collector") for asn in COLLECTED]


def relationships():
    """As CAIDA's serial-1 has them."""
    rows = [f"{provider}|{asn}|-1" for asn, providers in PROVIDERS.items() for provider in providers]
    return "".join(row + "\n" for row in ["# the laboratory's small Internet", *rows, *(f"{a}|{b}|0" for a, b in PEERS)])


def only_to(asn, neighbour):
    """Prefixes of asn that it does not tell this neighbour (peers are told all)."""
    if asn == TARGET and neighbour in PROVIDERS[TARGET] and neighbour != ONE_BY:
        return ONE
    by, prefixes = MORE_SPECIFIC.get(asn, (neighbour, []))
    return prefixes if neighbour != by else []


def announced(asn):
    return PREFIXES[asn] + MORE_SPECIFIC.get(asn, (0, []))[1]


def address(prefix):
    """The host of a prefix that answers."""
    return prefix.split("/")[0] + "1" if ":" in prefix else prefix.rsplit(".", 1)[0] + ".1"
