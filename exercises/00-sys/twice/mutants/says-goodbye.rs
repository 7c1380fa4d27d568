0 => {
    let _ = catch_unwind(AssertUnwindSafe(child));
    std::process::exit(ABANDONED)
}
