//! Whether a fragment begins another call.

use super::{AssembledCall, CallFragment};
use crate::json::is_blank_string;

/// How a fragment compares with the call to which it seems to belong: the one with its index or id, or the last one.
#[derive(Debug)]
pub(super) struct Evidence {
    id: Id,
    name: Name,
    arguments: Presence,
    index: Presence,
}

/// How the fragment's id compares with the call's.
#[derive(Debug, Clone, Copy)]
enum Id {
    /// Neither has one, or the call's ids vary.
    Absent,
    /// Only the call has one.
    Missing,
    /// The call has no id yet.
    First,
    Same,
    Other,
}

/// How the fragment's name compares with the part of the call's that has arrived.
#[derive(Debug, Clone, Copy)]
enum Name {
    Absent,
    /// The call has no name yet, although its arguments have begun.
    First,
    Same,
    Other,
}

#[derive(Debug, Clone, Copy)]
enum Presence {
    Absent,
    Present,
}

impl Presence {
    fn of(is_present: bool) -> Self {
        if is_present { Self::Present } else { Self::Absent }
    }
}

impl Evidence {
    pub(super) fn of(fragment: &CallFragment<'_>, call: &AssembledCall) -> Self {
        Self {
            id: match &*fragment.id {
                "" if call.id.is_empty() => Id::Absent,
                "" => Id::Missing,
                _ if call.id.is_empty() => Id::First,
                id if id == call.id => Id::Same,
                _ if call.changes_id => Id::Absent,
                _ => Id::Other,
            },
            name: match fragment.name {
                "" => Name::Absent,
                _ if call.name.is_empty() && !call.arguments.is_empty() => Name::First,
                name if name == call.name => Name::Same,
                _ => Name::Other,
            },
            arguments: Presence::of(fragment.arguments.is_some_and(|raw| !is_blank_string(raw))),
            index: Presence::of(fragment.index.is_some()),
        }
    }
}

/// The progress of a call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Progress {
    /// It has no arguments yet.
    NoArguments,
    /// It has white space only, which some providers send when there are no arguments.
    Blank,
    /// Its arguments have begun.
    Partial,
    /// The text of a custom tool has begun. Nothing marks its end.
    Text,
    /// Its arguments are complete unless others follow: they are `{}`, or a piece that may be all so far or the next.
    Provisional,
    /// Its arguments are a JSON value whose last bracket has closed.
    Complete,
    /// Its arguments are complete, and its name came again after that.
    CompleteAndNamedAgain,
}

/// Whether a fragment begins another call than the one to which it seems to belong.
pub(super) fn begins_another_call(evidence: &Evidence, progress: Progress) -> bool {
    use Presence::{Absent, Present};
    use Progress::{Blank, Complete, CompleteAndNamedAgain, NoArguments, Partial, Provisional, Text};

    let Evidence { id, name, arguments, index } = *evidence;
    match (id, name, arguments, index, progress) {
        // Some vLLM versions send a new id with each piece of a call. Only complete arguments end it.
        (Id::Other, Name::Same | Name::First, _, Present, Partial) => false,
        (Id::Other, Name::First, _, Present, Blank) => false,
        (Id::Other, Name::Same, Present, Present, NoArguments | Blank) => false,
        // A new id with a name: providers that send the index 0 for every call, or none.
        (Id::Other, Name::Same | Name::Other | Name::First, _, _, _) => true,
        // A new id without a name may be a new id for the same call, until that is complete.
        (Id::Other, Name::Absent, _, _, NoArguments | Blank | Partial | Text) => false,
        (Id::Other, Name::Absent, Present, _, Provisional | Complete | CompleteAndNamedAgain) => true,
        (Id::Other, Name::Absent, Absent, _, Provisional | Complete | CompleteAndNamedAgain) => false,

        // All calls have the same id: the name came again after the arguments were complete, and now come the arguments of
        // the next call.
        (Id::Same, Name::Absent, Present, _, CompleteAndNamedAgain) => true,
        // The usual continuation that repeats the id, or an id that comes late.
        (Id::Same | Id::First, Name::Absent, _, _, _) => false,

        // TGI gives each call the id "0" and sends it in one fragment.
        (Id::Same, _, Present, _, Complete | CompleteAndNamedAgain) => true,
        (Id::Same, Name::Other, _, _, Provisional | Complete | CompleteAndNamedAgain) => true,
        // llama-cpp-python repeats id and name in every fragment, and ends with white space.
        (Id::Same, _, _, _, _) => false,

        // The name with each fragment. Another call would have an id too.
        (Id::Missing, Name::Same, Present, Present, Provisional) => false,

        // The usual continuation. Its arguments are another call's if the name came again before them.
        (Id::Absent | Id::Missing, Name::Absent, Present, _, CompleteAndNamedAgain) => true,
        (
            Id::Absent | Id::Missing,
            Name::Absent,
            Present,
            _,
            NoArguments | Blank | Partial | Text | Provisional | Complete,
        ) => false,
        (Id::Absent | Id::Missing, Name::Absent, Absent, _, _) => false,

        // A name that comes after the arguments began.
        (Id::Absent | Id::Missing | Id::First, Name::First, Present, _, Complete | CompleteAndNamedAgain) => {
            true
        }
        (Id::Absent | Id::Missing | Id::First, Name::First, _, _, _) => false,

        // Some providers repeat the name with every fragment. With an index, only arguments begin a call then.
        (Id::Absent | Id::Missing | Id::First, Name::Same, _, _, NoArguments | Blank | Partial | Text) => {
            false
        }
        (Id::Absent | Id::Missing | Id::First, Name::Same, Absent, Present, _) => false,
        (Id::Absent | Id::Missing | Id::First, Name::Same, Present, Present, _) => true,
        (Id::Absent | Id::Missing | Id::First, Name::Same, _, Absent, _) => true,

        // Another name may be the rest of this call's name, until the arguments begin.
        (Id::Absent | Id::Missing | Id::First, Name::Other, _, _, NoArguments) => false,
        // The index counts more than the name, until the arguments are complete.
        (Id::Absent | Id::Missing | Id::First, Name::Other, _, Present, Partial | Text) => false,
        (Id::Absent | Id::Missing | Id::First, Name::Other, _, Absent, Partial | Text) => true,
        (
            Id::Absent | Id::Missing | Id::First,
            Name::Other,
            _,
            _,
            Blank | Provisional | Complete | CompleteAndNamedAgain,
        ) => true,
    }
}
