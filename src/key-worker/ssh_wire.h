/*
 * ssh_wire: the data types of the SSH protocol (RFC 4251, 5), over a buf.
 *
 * Readers take from the front and give views into the same bytes: nothing is
 * copied, so a secret that is read stays where it was.  A length is compared
 * with what is left before it is used.  Writers append; the buf's limit has
 * been chosen to hold what is written.
 */
#ifndef KW_SSH_WIRE_H
#define KW_SSH_WIRE_H

#include "base.h"
#include "buf.h"

/* FX_ESHORT when the input ends too early. */
int sshw_get_u32(struct buf *, uint32_t *) FX_MUSTUSE;
int sshw_get_string(struct buf *, struct buf *view) FX_MUSTUSE;

void sshw_put_u32(struct buf *, uint32_t);
void sshw_put_string(struct buf *, const void *, size_t n);
/* A non-negative integer given by its big-endian bytes. */
void sshw_put_mpint(struct buf *, const uint8_t *, size_t n);

/* true if what is left is exactly this text, or equal to what is left of the
 * other. */
bool sshw_is(const struct buf *, const char *text);
bool sshw_equal(const struct buf *, const struct buf *);

#endif
