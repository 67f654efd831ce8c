// How an announcement and its job's Merkle tree lie in memory (spec 1 §4; protocol/announcement.py).

#define ANNOUNCEMENT_SIZE 1024
#define HEADER_SIZE 88
#define SIBLINGS_OFFSET HEADER_SIZE
#define ROOT_OFFSET 920
#define PREFIX_OFFSET 984
#define PREFIX_SIZE 40

#define TABLE_ITEMS 8192
#define MERKLE_DEPTH 13
#define NODE_SIZE 64
