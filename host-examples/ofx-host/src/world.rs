//! Everything that has a handle. A handle is a number, so that one that is stale or made up is found out and told, instead
//! of being followed.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ffi::{CStr, CString, c_int};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clip::{Form, Frames};
use crate::quirks::Quirks;

/// A handle's number.
pub type Id = usize;

/// The values of a property.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "names say it")]
pub enum Values {
    Ints(Vec<c_int>),
    Doubles(Vec<f64>),
    Texts(Vec<CString>),
    Pointers(Vec<usize>),
}

/// Properties by name.
pub type PropSet = HashMap<CString, Values>;

/// What a parameter holds.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "names say it")]
pub enum Value {
    None,
    Ints(Vec<c_int>),
    Doubles(Vec<f64>),
    Text(CString),
}

/// A parameter of a descriptor or an instance.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "names say it")]
pub struct Param {
    pub name: String,
    pub kind: String,
    pub props: Id,
    pub value: Value,
}

/// A clip of a descriptor or an instance.
#[derive(Clone)]
#[allow(missing_docs, reason = "names say it")]
pub struct Clip {
    pub name: String,
    pub props: Id,
    pub frames: Option<Arc<dyn Frames>>,
}

/// A descriptor or an instance.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "names say it")]
pub struct Effect {
    pub props: Id,
    pub params: Vec<Id>,
    pub clips: Vec<Id>,
    pub is_descriptor: bool,
}

/// An image that a plugin was given.
pub struct Image {
    /// Its memory, which must stay where it is.
    pub bytes: Box<[u64]>,
    /// Its properties, which are also its handle.
    pub props: Id,
}

/// What an overlay drew.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "names say it")]
pub enum Drawn {
    Shape { primitive: u32, colour: [f32; 4], points: Vec<[f64; 2]> },
    Text { text: String, at: [f64; 2] },
}

/// All that has a handle, and all that happened.
#[derive(Default)]
#[allow(missing_docs, reason = "names say it")]
pub struct World {
    next: Id,
    pub sets: HashMap<Id, PropSet>,
    pub effects: HashMap<Id, Effect>,
    pub params: HashMap<Id, Param>,
    pub clips: HashMap<Id, Clip>,
    pub images: HashMap<Id, Image>,
    pub quirks: Quirks,
    /// What the plugin did against the standard.
    pub violations: Vec<String>,
    /// What the plugin told, with its kind.
    pub messages: Vec<(String, String)>,
    pub drawn: Vec<Drawn>,
    pub draw_colour: [f32; 4],
    /// Updates of progress, since it was started.
    pub progress: Vec<f64>,
    pub progress_open: bool,
    /// After how many updates progress answers that the work is not wanted any more.
    pub cancel_after: Option<usize>,
    /// How often each frame was fetched of each clip, since this was cleared.
    pub fetched: BTreeMap<(String, i64), u32>,
    pub redraws: u32,
    /// What the host itself has spent on images.
    pub in_host: std::time::Duration,
}

static WORLD: Mutex<Option<World>> = Mutex::new(None);

/// What this thread's action may do.
#[derive(Clone, Debug, Default)]
pub struct Doing {
    /// The action's name; empty outside.
    pub action: String,
    /// In which form images are given.
    pub form: Form,
    /// The image that a render writes.
    pub output: Option<Id>,
    /// The action's time.
    pub time: f64,
    /// Images that were given in this action and not yet released.
    pub images: Vec<Id>,
}

thread_local! {
    static DOING: RefCell<Vec<Doing>> = const { RefCell::new(Vec::new()) };
}

/// The world, for a moment: nothing that calls the plugin may be done meanwhile.
pub fn world() -> Guard {
    let mut world = WORLD.lock().unwrap_or_else(PoisonError::into_inner);
    world.get_or_insert_default();
    Guard(world)
}

/// See [`world`].
pub struct Guard(MutexGuard<'static, Option<World>>);

impl std::ops::Deref for Guard {
    type Target = World;

    fn deref(&self) -> &World {
        self.0.as_ref().expect("`world` made it")
    }
}

impl std::ops::DerefMut for Guard {
    fn deref_mut(&mut self) -> &mut World {
        self.0.as_mut().expect("`world` made it")
    }
}

/// Runs an action on this thread.
pub fn doing<T>(what: Doing, work: impl FnOnce() -> T) -> T {
    DOING.with(|doing| doing.borrow_mut().push(what));
    let done = work();
    let left = DOING.with(|doing| doing.borrow_mut().pop()).unwrap_or_default();
    if !left.images.is_empty() {
        let count = left.images.len();
        world().violation(format!("{}: {count} images were not released in the action", left.action));
    }
    done
}

/// Looks at, or notes something in, what this thread is doing.
pub fn now<T>(look: impl FnOnce(&mut Doing) -> T) -> T {
    DOING.with(|doing| match doing.borrow_mut().last_mut() {
        Some(now) => look(now),
        None => look(&mut Doing::default()),
    })
}

impl World {
    /// A number that was never a handle.
    pub fn id(&mut self) -> Id {
        self.next += 16;
        0x1000 + self.next
    }

    /// A new set of properties.
    pub fn new_set(&mut self) -> Id {
        let id = self.id();
        self.sets.insert(id, PropSet::new());
        id
    }

    /// Notes that the plugin did something that the standard forbids.
    pub fn violation(&mut self, text: String) {
        if self.violations.len() < 100 && !self.violations.contains(&text) {
            self.violations.push(text);
        }
    }

    /// Sets whole numbers.
    pub fn ints(&mut self, set: Id, name: &CStr, values: &[c_int]) {
        self.put(set, name, Values::Ints(values.to_vec()));
    }

    /// Sets numbers.
    pub fn doubles(&mut self, set: Id, name: &CStr, values: &[f64]) {
        self.put(set, name, Values::Doubles(values.to_vec()));
    }

    /// Sets texts.
    pub fn texts(&mut self, set: Id, name: &CStr, values: &[&str]) {
        let values = values.iter().filter_map(|text| CString::new(*text).ok()).collect();
        self.put(set, name, Values::Texts(values));
    }

    /// Sets a name.
    pub fn name(&mut self, set: Id, name: &CStr, value: &CStr) {
        self.put(set, name, Values::Texts(vec![value.to_owned()]));
    }

    /// Sets a pointer.
    pub fn pointer(&mut self, set: Id, name: &CStr, value: usize) {
        self.put(set, name, Values::Pointers(vec![value]));
    }

    fn put(&mut self, set: Id, name: &CStr, values: Values) {
        self.sets.entry(set).or_default().insert(name.to_owned(), values);
    }

    /// A text, if there is one.
    pub fn text_of(&self, set: Id, name: &CStr) -> Option<String> {
        match self.sets.get(&set)?.get(name)? {
            Values::Texts(texts) => texts.first().map(|text| text.to_string_lossy().into_owned()),
            _ => None,
        }
    }

    /// All texts.
    pub fn texts_of(&self, set: Id, name: &CStr) -> Vec<String> {
        match self.sets.get(&set).and_then(|set| set.get(name)) {
            Some(Values::Texts(texts)) => {
                texts.iter().map(|text| text.to_string_lossy().into_owned()).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A whole number, if there is one.
    pub fn int_of(&self, set: Id, name: &CStr) -> Option<c_int> {
        match self.sets.get(&set)?.get(name)? {
            Values::Ints(values) => values.first().copied(),
            _ => None,
        }
    }

    /// Numbers, if there are any.
    pub fn doubles_of(&self, set: Id, name: &CStr) -> Vec<f64> {
        match self.sets.get(&set).and_then(|set| set.get(name)) {
            Some(Values::Doubles(values)) => values.clone(),
            _ => Vec::new(),
        }
    }

    /// A pointer, if there is one that is not null.
    pub fn pointer_of(&self, set: Id, name: &CStr) -> Option<usize> {
        match self.sets.get(&set)?.get(name)? {
            Values::Pointers(values) => values.first().copied().filter(|value| *value != 0),
            _ => None,
        }
    }

    /// How many objects are alive: what leaks makes it grow.
    pub fn alive(&self) -> usize {
        self.sets.len() + self.effects.len() + self.params.len() + self.clips.len() + self.images.len()
    }
}
