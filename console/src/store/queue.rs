//! Items of one kind in the order of their arrival.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

/// The items of one kind, oldest first.
#[derive(Debug)]
pub(super) struct Queue<T> {
    slots: VecDeque<Slot<T>>,
    received: u64,
    dropped_for_memory: u64,
    dropped_for_age: u64,
}

#[derive(Debug)]
pub(super) struct Slot<T> {
    pub(super) number: u64,
    pub(super) received_at: SystemTime,
    pub(super) bytes: usize,
    pub(super) item: Arc<T>,
}

/// Why something has to go.
#[derive(Debug, Clone, Copy)]
pub(super) enum Why {
    Memory,
    Age,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: VecDeque::new(),
            received: 0,
            dropped_for_memory: 0,
            dropped_for_age: 0,
        }
    }

    pub(super) fn to_vec(&self) -> Vec<Arc<T>> {
        self.slots
            .iter()
            .map(|slot| Arc::clone(&slot.item))
            .collect()
    }

    pub(super) fn oldest(&self) -> Option<(u64, SystemTime)> {
        self.slots
            .front()
            .map(|slot| (slot.number, slot.received_at))
    }

    pub(super) fn push(&mut self, slot: Slot<T>) {
        self.received += 1;
        self.slots.push_back(slot);
    }

    /// Lets the oldest go.
    pub(super) fn pop(&mut self, why: Why) -> Option<Slot<T>> {
        let slot = self.slots.pop_front()?;
        match why {
            Why::Memory => self.dropped_for_memory += 1,
            Why::Age => self.dropped_for_age += 1,
        }
        // A queue that was long once gives its room back.
        if self.slots.capacity() > 64 && self.slots.len() < self.slots.capacity() / 4 {
            self.slots.shrink_to(self.slots.len() * 2);
        }
        Some(slot)
    }

    /// The newest `max` of those that arrived before a number, newest first.
    pub(super) fn before(&self, number: u64, max: usize) -> Vec<(u64, Arc<T>)> {
        let end = self.slots.partition_point(|slot| slot.number < number);
        let slots = self.slots.range(end.saturating_sub(max)..end).rev();
        slots
            .map(|slot| (slot.number, Arc::clone(&slot.item)))
            .collect()
    }
}

pub(super) struct Numbers {
    pub(super) received: u64,
    pub(super) kept: u64,
    pub(super) memory: u64,
    pub(super) age: u64,
}

impl<T> Queue<T> {
    pub(super) fn numbers(&self) -> Numbers {
        Numbers {
            received: self.received,
            kept: self.slots.len() as u64,
            memory: self.dropped_for_memory,
            age: self.dropped_for_age,
        }
    }
}
