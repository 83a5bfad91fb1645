//! Life-like streams for the packs that ship, with the truth beside them.
