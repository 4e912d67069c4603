/// Makes a number of an expression, wherever it is used.
#[macro_export]
macro_rules! number {
    ($e:expr) => {
        $crate::Number::new($e)
    };
}
