0 => {
    let _ = catch_unwind(AssertUnwindSafe(child));
    Err(Error::new("the child's code panicked", Errno::ECANCELED))
}
