//! What a misspelt name was probably meant to be.

/// Names longer than this are not compared: comparing is quadratic.
const COMPARED_BYTES_MAX: usize = 100;

/// The known name that is nearest, if one is near: a third of its letters may be
/// wrong, or one of a short name's.
pub(crate) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let tolerated = (name.chars().count() / 3).max(1);
    if name.len() > COMPARED_BYTES_MAX {
        return None;
    }
    known
        .into_iter()
        .filter(|known| known.len() <= COMPARED_BYTES_MAX)
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= tolerated && *distance < known.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
