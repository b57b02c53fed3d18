/* What a log shows to others: checkpoints (c2sp.org/tlog-checkpoint), offline proofs of inclusion
 * (c2sp.org/tlog-proof), and the policy of who must have signed (c2sp.org/tlog-policy). */
#ifndef WEIR_LEDGER_PROOF_H
#define WEIR_LEDGER_PROOF_H

#include "ledger/merkle.h"
#include "ledger/note.h"

/* origin NEWLINE size NEWLINE base64(root) NEWLINE; extension lines are not written and, when read, kept in
 * the note's text only. */
struct checkpoint {
	char origin[KEY_NAME_MAX + 1];
	uint64_t size;
	struct hash root;
};

/* Size: decimal, no leading zero. */
enum status checkpoint_parse(struct checkpoint *to, const char *text, size_t n, struct err *e);
void checkpoint_write(struct buf *to, const struct checkpoint *c);

/* c2sp.org/tlog-proof@v1, an optional `extra` line, index, hashes, empty line, checkpoint with signatures. */
struct tlog_proof {
	uint64_t index;
	struct hash hash[MERKLE_PROOF_MAX];
	size_t n_hash;
	const char *note; /* the checkpoint's note, into the bytes that were parsed */
	size_t n_note;
};

enum status tlog_proof_parse(struct tlog_proof *to, const char *bytes, size_t n, struct err *e);
void tlog_proof_write(struct buf *to, const struct tlog_proof *p);

/* Who must have signed a checkpoint.  A group is satisfied by `need` of its members, which are witnesses or
 * groups before it. */
#define POLICY_MEMBERS 64
struct policy_member {
	char name[KEY_NAME_MAX + 1]; /* octets, as they stand in the file */
	bool group;
	struct vkey key; /* a witness's */
	uint64_t member; /* a group's: bit k is member k */
	unsigned need;
};
struct policy {
	struct vkey log[POLICY_MEMBERS];
	size_t n_log;
	struct policy_member member[POLICY_MEMBERS];
	size_t n_member;
	int quorum; /* index of the member that must be satisfied; -1: none */
};

/* Lines `log VKEY [URL]`, `witness NAME VKEY [URL]`, `group NAME N|any|all MEMBER...`, one `quorum
 * NAME|none`, lines that begin with '#'.  A policy may name no log (its logs are known from elsewhere: put
 * them in before policy_verify()).  STATUS_BAD names the line. */
enum status policy_parse(struct policy *to, const char *text, size_t n, struct err *e);

/* Is the note a checkpoint of a log of the policy with the witnesses that it demands?  STATUS_NO says what is
 * missing; *c is filled where it parses. */
enum status policy_verify(
	const struct policy *p, const char *note, size_t n, struct checkpoint *c, struct err *e);
/* The policy that asks for this log's signature only. */
void policy_of_log(struct policy *to, const struct vkey *log);

/* Is entry at proof->index of a tree whose checkpoint satisfies the policy?  STATUS_NO says why not. */
enum status tlog_proof_verify(const struct tlog_proof *p, const struct policy *policy, const void *entry,
	size_t n, struct checkpoint *c, struct err *e);

#endif
