//! A disk that fails or stops at any step, and forgets what was not synced.

#![allow(clippy::arithmetic_side_effects, reason = "a test")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Durable, Files, OWN, What};

type Inode = usize;
type Names = BTreeMap<PathBuf, Inode>;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    File { bytes: Vec<u8>, durable: Vec<u8> },
    Directory,
}

/// A change of names that a crash may undo.
#[derive(Debug, Clone)]
enum Change {
    Add(PathBuf, Inode),
    Gone(PathBuf),
    Exchange(PathBuf, PathBuf),
}

#[derive(Debug, Default)]
struct State {
    inodes: Vec<Content>,
    names: Names,
    durable_names: Names,
    /// Each operation's changes since the last sync of its directory, all or nothing.
    pending: Vec<Vec<Change>>,
    steps: usize,
    stop: Option<Stop>,
}

/// What happens at one step.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// The operation fails, later ones work.
    Fail(usize),
    /// The power fails: this operation and all later ones do nothing.
    Power(usize),
}

/// Shared by everybody who works on it.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    state: Rc<RefCell<State>>,
    pub(super) no_exchange: bool,
}

#[derive(Debug)]
pub(super) struct File {
    model: Model,
    inode: Inode,
}

impl Model {
    /// A disk with durable files.
    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        let model = Self::default();
        for (path, text) in files {
            let path = Path::new(path);
            if let Some(dir) = path.parent().filter(|dir| *dir != Path::new("/d"))
                && model.what_is(dir).is_none()
            {
                model.create_dir(dir, OWN).unwrap();
            }
            let mut file = model.create_file(path, OWN).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.sync().unwrap();
        }
        let mut state = model.state.borrow_mut();
        state.durable_names = state.names.clone();
        state.pending.clear();
        state.steps = 0;
        drop(state);
        model
    }

    pub(super) fn stop(&self, stop: Stop) {
        self.state.borrow_mut().stop = Some(stop);
    }

    pub(super) fn steps(&self) -> usize {
        self.state.borrow().steps
    }

    fn step(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let now = state.steps;
        state.steps += 1;
        match state.stop {
            Some(Stop::Fail(at)) if now == at => Err(io::ErrorKind::StorageFull.into()),
            Some(Stop::Power(at)) if now >= at => Err(io::Error::other("the power is off")),
            _ => Ok(()),
        }
    }

    fn change(&self, changes: Vec<Change>) {
        let mut state = self.state.borrow_mut();
        for change in &changes {
            apply(&mut state.names, change);
        }
        state.pending.push(changes);
    }

    /// Every state the disk can be in after a crash now: any of the changes of names that were not synced may be
    /// lost, and so may all or half of the bytes of files that were not. Path to text; directories are left out.
    pub(super) fn after_crash(&self) -> Vec<BTreeMap<String, String>> {
        let state = self.state.borrow();
        assert!(state.pending.len() < 12, "too many subsets");
        let subsets = 0..1_usize << state.pending.len();
        subsets
            .flat_map(|kept| [(kept, Unsynced::Lost), (kept, Unsynced::Torn), (kept, Unsynced::Kept)])
            .map(|(kept, unsynced)| {
                let mut names = state.durable_names.clone();
                for (bit, changes) in state.pending.iter().enumerate() {
                    if kept >> bit & 1 == 1 {
                        changes.iter().for_each(|change| apply(&mut names, change));
                    }
                }
                texts(&state, &names, unsynced)
            })
            .collect()
    }

    /// What is there now, without a crash.
    pub(super) fn now(&self) -> BTreeMap<String, String> {
        let state = self.state.borrow();
        texts(&state, &state.names, Unsynced::Kept)
    }
}

/// What a crash makes of bytes that were written and not synced.
#[derive(Clone, Copy)]
enum Unsynced {
    Lost,
    Torn,
    Kept,
}

fn texts(state: &State, names: &Names, unsynced: Unsynced) -> BTreeMap<String, String> {
    let text = |inode: &Inode| match &state.inodes[*inode] {
        Content::File { bytes, durable } => {
            let len = match unsynced {
                Unsynced::Lost => durable.len(),
                Unsynced::Torn => durable.len().midpoint(bytes.len()),
                Unsynced::Kept => bytes.len(),
            };
            Some(String::from_utf8(bytes[..len].to_vec()).unwrap())
        }
        Content::Directory => None,
    };
    names.iter().filter_map(|(path, inode)| Some((path.to_str().unwrap().to_owned(), text(inode)?))).collect()
}

fn apply(names: &mut Names, change: &Change) {
    match change {
        Change::Add(path, inode) => {
            names.insert(path.clone(), *inode);
        }
        Change::Gone(path) => names.retain(|name, _| !name.starts_with(path)),
        Change::Exchange(one, other) => {
            *names = std::mem::take(names)
                .into_iter()
                .map(|(name, inode)| (moved(&name, one, other).or(moved(&name, other, one)).unwrap_or(name), inode))
                .collect();
        }
    }
}

/// The path as it is when `from` becomes `to`.
fn moved(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix(from).ok()?;
    Some(if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) })
}

impl Write for File {
    fn write(&mut self, new: &[u8]) -> io::Result<usize> {
        self.model.step()?;
        if let Content::File { bytes, .. } = &mut self.model.state.borrow_mut().inodes[self.inode] {
            bytes.extend_from_slice(new);
        }
        Ok(new.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Durable for File {
    fn sync(&mut self) -> io::Result<()> {
        self.model.step()?;
        if let Content::File { bytes, durable } = &mut self.model.state.borrow_mut().inodes[self.inode] {
            durable.clone_from(bytes);
        }
        Ok(())
    }
}

impl Files for Model {
    type File = File;

    fn create_file(&self, path: &Path, _: u32) -> io::Result<File> {
        self.step()?;
        if self.what_is(path).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = self.state.borrow().inodes.len();
        self.state.borrow_mut().inodes.push(Content::File { bytes: Vec::new(), durable: Vec::new() });
        self.change(vec![Change::Add(path.to_owned(), inode)]);
        Ok(File { model: self.clone(), inode })
    }

    fn create_dir(&self, path: &Path, _: u32) -> io::Result<()> {
        self.step()?;
        let inode = self.state.borrow().inodes.len();
        self.state.borrow_mut().inodes.push(Content::Directory);
        self.change(vec![Change::Add(path.to_owned(), inode)]);
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        let mut state = self.state.borrow_mut();
        let State { pending, durable_names, .. } = &mut *state;
        let here = |change: &Change| match change {
            Change::Add(name, _) | Change::Gone(name) | Change::Exchange(name, _) => name.parent() == Some(path),
        };
        for changes in pending.extract_if(.., |changes| changes.iter().any(here)) {
            changes.iter().for_each(|change| apply(durable_names, change));
        }
        Ok(())
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        if self.what_is(to).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.rename_over(from, to)
    }

    fn rename_over(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let names: Vec<(PathBuf, Inode)> =
            self.state.borrow().names.iter().map(|(path, &inode)| (path.clone(), inode)).collect();
        let mut changes = vec![Change::Gone(from.to_owned())];
        changes.extend(names.iter().filter_map(|(path, inode)| Some(Change::Add(moved(path, from, to)?, *inode))));
        self.change(changes);
        Ok(())
    }

    fn exchange(&self, one: &Path, other: &Path) -> io::Result<()> {
        if self.no_exchange {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.step()?;
        self.change(vec![Change::Exchange(one.to_owned(), other.to_owned())]);
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step()?;
        let inode = self.state.borrow().names[from];
        self.change(vec![Change::Add(to.to_owned(), inode)]);
        Ok(())
    }

    fn copy_permissions(&self, _: &Path, _: &Path) -> io::Result<()> {
        self.step()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step()?;
        self.change(vec![Change::Gone(path.to_owned())]);
        Ok(())
    }

    fn what_is(&self, path: &Path) -> Option<What> {
        let state = self.state.borrow();
        Some(match state.inodes[*state.names.get(path)?] {
            Content::File { .. } => What::File,
            Content::Directory => What::Directory,
        })
    }
}
