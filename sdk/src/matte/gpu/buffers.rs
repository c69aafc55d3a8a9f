//! A chain's memory on its device: one buffer for each purpose, which only ever grows.

use std::collections::HashMap;

use super::device::{Device, PipelineId};

/// What a buffer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slot {
    Uniforms,
    /// Tables, coefficients, weights, and mattes that the host gives.
    Inputs,
    Plate,
    Picture,
    /// The object that is worked on, and a place for what becomes of it.
    MatteA,
    MatteB,
    Spare,
    Sum,
    /// All objects so far, and what of them nothing takes away.
    Total,
    Kept,
    Distances,
    /// Signed distances of the frame itself, and of up to four around it.
    Times(u8),
    /// What a guided filter needs, blurred, and its lines.
    Moments(u8),
    Lines,
    SmallA,
    SmallB,
    ColourA,
    ColourB,
    Backdrop,
    Inside,
    Outside,
    Wrap,
    /// For bindings that a variant doesn't look at.
    Empty,
    Result,
    /// Between the computer's memory and the device's, one of each for every frame that is on its way.
    Upload(u8),
    Readback(u8),
}

impl Slot {
    fn usage(self) -> wgpu::BufferUsages {
        use wgpu::BufferUsages as Use;
        match self {
            Self::Uniforms => Use::UNIFORM | Use::COPY_DST,
            Self::Upload(_) => Use::MAP_WRITE | Use::COPY_SRC,
            Self::Readback(_) => Use::MAP_READ | Use::COPY_DST,
            _ => Use::STORAGE | Use::COPY_DST | Use::COPY_SRC,
        }
    }
}

/// A buffer as a kernel sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct View {
    pub slot: Slot,
    pub offset: u64,
    /// Bytes from the offset on; 0 means all.
    pub size: u64,
}

impl From<Slot> for View {
    fn from(slot: Slot) -> Self {
        Self { slot, offset: 0, size: 0 }
    }
}

/// More than the passes of a frame with dozens of objects.
const MAX_GROUPS: usize = 1024;

/// The buffers, and the bind groups made of them.
#[derive(Debug, Default)]
pub struct Buffers {
    buffers: HashMap<Slot, wgpu::Buffer>,
    groups: HashMap<(PipelineId, Vec<View>), wgpu::BindGroup>,
    #[cfg(test)]
    made: usize,
}

impl Buffers {
    /// Bytes of a buffer that has room for so many.
    pub fn room(bytes: u64) -> u64 {
        bytes.next_multiple_of(256)
    }

    /// Bytes of all buffers once these have room.
    pub fn bytes_with(&self, needs: &[(Slot, u64)]) -> u64 {
        let needed =
            |slot: Slot| needs.iter().find(|(known, _)| *known == slot).map(|(_, bytes)| Self::room(*bytes));
        let held = self.buffers.iter().map(|(slot, buffer)| buffer.size().max(needed(*slot).unwrap_or(0)));
        let new = needs.iter().filter(|(slot, _)| !self.buffers.contains_key(slot));
        held.sum::<u64>() + new.map(|(_, bytes)| Self::room(*bytes)).sum::<u64>()
    }

    /// Whether any of these would take the place of a smaller buffer.
    pub fn would_replace(&self, needs: &[(Slot, u64)]) -> bool {
        needs.iter().any(|(slot, bytes)| self.buffers.get(slot).is_some_and(|held| held.size() < *bytes))
    }

    /// Makes sure that a buffer has room. A buffer that is replaced takes its bind groups along.
    pub fn reserve(&mut self, device: &Device, slot: Slot, bytes: u64) {
        if self.buffers.get(&slot).is_some_and(|b| b.size() >= bytes) {
            return;
        }
        // The old one goes first, so that the two are never held at once.
        self.buffers.remove(&slot);
        self.groups.clear();
        let buffer = device.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("matte"),
            size: Self::room(bytes),
            usage: slot.usage(),
            mapped_at_creation: matches!(slot, Slot::Upload(_)),
        });
        self.buffers.insert(slot, buffer);
        #[cfg(test)]
        {
            self.made += 1;
        }
    }

    /// How many buffers were ever made, and how many bind groups are kept.
    #[cfg(test)]
    pub fn counts(&self) -> (usize, usize) {
        (self.made, self.groups.len())
    }

    pub fn get(&self, slot: Slot) -> Result<&wgpu::Buffer, String> {
        self.buffers.get(&slot).ok_or_else(|| format!("there is no {slot:?} buffer"))
    }

    /// The bind group of a kernel: bindings from 0 on.
    pub fn group(
        &mut self,
        device: &Device,
        id: PipelineId,
        views: Vec<View>,
    ) -> Result<&wgpu::BindGroup, String> {
        let key = (id, views);
        if self.groups.len() >= MAX_GROUPS {
            self.groups.clear();
        }
        if !self.groups.contains_key(&key) {
            let entries: Vec<_> = (0..)
                .zip(&key.1)
                .map(|(binding, view)| {
                    let buffer = self.get(view.slot)?;
                    let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer,
                        offset: view.offset,
                        size: wgpu::BufferSize::new(view.size),
                    });
                    Ok(wgpu::BindGroupEntry { binding, resource })
                })
                .collect::<Result<_, String>>()?;
            let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(id.kernel),
                layout: &device.pipeline(id)?.get_bind_group_layout(0),
                entries: &entries,
            });
            self.groups.insert(key.clone(), group);
        }
        self.groups.get(&key).ok_or_else(|| "a bind group went missing".into())
    }
}
