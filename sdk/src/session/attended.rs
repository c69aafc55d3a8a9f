//! What the attention made of the frame at hand, for each object. Further clicks on a frame mostly recall the same as
//! before, and find it made.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::Xxh3;

use super::ObjectId;
use crate::model::{Conditioned, Recollection};

/// Features that know an object. They belong to the frame's features, and go with them.
#[derive(Default)]
pub(super) struct Attended {
    of: BTreeMap<ObjectId, (u128, Conditioned)>,
}

impl Attended {
    /// What was made for an object, if it recalled the same.
    pub(super) fn find(&self, object: ObjectId, recalled: &Recollection) -> Option<Conditioned> {
        let (print, conditioned) = self.of.get(&object)?;
        (*print == fingerprint(recalled)).then(|| conditioned.clone())
    }

    /// Before more is made: everything goes unless there is room for so many of `most`. Those that were made in one
    /// run lie in one block, so that single ones wouldn't free anything.
    pub(super) fn make_room(&mut self, more: usize, most: usize) {
        if self.of.len() + more > most {
            self.of.clear();
        }
    }

    /// Keeps what was made for an object.
    pub(super) fn keep(&mut self, object: ObjectId, recalled: &Recollection, conditioned: &Conditioned) {
        self.of.insert(object, (fingerprint(recalled), conditioned.clone()));
    }
}

/// Of every bit that the attention is given.
fn fingerprint(recalled: &Recollection) -> u128 {
    let Recollection { memory, frames: _, mem_tpos, ptrs, ptr_tpos } = recalled;
    let mut hash = Xxh3::new();
    hash.update(bytemuck::cast_slice(memory));
    hash.update(bytemuck::cast_slice(mem_tpos));
    hash.update(bytemuck::cast_slice(ptrs));
    hash.update(bytemuck::cast_slice(ptr_tpos));
    // The parts' lengths follow from these two.
    hash.update(bytemuck::bytes_of(&[mem_tpos.len(), ptr_tpos.len()]));
    hash.digest128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_differs_in_a_recollection_shows() {
        let plain = || Recollection {
            memory: vec![1.0, 2.0],
            frames: vec![4],
            mem_tpos: vec![6],
            ptrs: vec![3.0],
            ptr_tpos: vec![0.5],
        };
        assert_eq!(fingerprint(&plain()), fingerprint(&plain()));
        let changed = [
            Recollection { memory: vec![1.0, -2.0], ..plain() },
            Recollection { mem_tpos: vec![5], ..plain() },
            Recollection { ptrs: vec![-3.0], ..plain() },
            Recollection { ptr_tpos: vec![0.25], ..plain() },
            Recollection { ptrs: vec![], ptr_tpos: vec![], ..plain() },
        ];
        for changed in changed {
            assert_ne!(fingerprint(&changed), fingerprint(&plain()), "{changed:?}");
        }
    }
}
