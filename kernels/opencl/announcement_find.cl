// What the search remembers of a find for announcement_finish: a record of FIND_SIZE bytes.

#define FIND_NONCE 0 // u32, the soft nonce
#define FIND_ITEM 4  // u32, the number of the last item used (0..8191)
#define FIND_STATE 8 // the first FIND_STATE_SIZE bytes of the final state; its first 32 are the hash
#define FIND_STATE_SIZE 872
#define FIND_SIZE 880

// The words of a launch's `progress`, all 0 before it.
#define PROGRESS_BATCHES 0 // batches that work-items have taken
#define PROGRESS_FINDS 1   // records written
