// What makes a function one that is called, construct by construct.
macro_rules! ty { () => { i64 } }
macro_rules! declare { ($n:ident) => { fn $n(n: i64) -> i64 { n } 3 } }
type Endless = Option<Endless>; //~ E0501: a type alias that contains itself
struct Owner(String);
union Bits { int: i64, float: f64 }

fn closure_pointer(n: i64) -> i64 {
    static mut COUNT: i64 = 0;
    let f: fn(i64) -> i64 = |x| unsafe { COUNT += x; COUNT }; //~ E0501: the address of this closure cannot be taken
    f(n)
}
fn changing_static(n: i64) -> i64 {
    static mut COUNT: i64 = 0;
    unsafe { COUNT += n; COUNT } //~ E0501: `COUNT` is declared inside a function
}
fn native_code(n: i64) -> i64 {
    static mut COUNT: i64 = 0;
    println!("{n}"); //~ E0501: which cannot use what the function declares inside
    n
}
fn type_macro(n: i64) -> i64 {
    let x: ty!() = n; //~ E0501: a macro in a type
    x
}
fn items_in_function(n: i64) -> i64 {
    declare!(inner); //~ E0501: a macro that declares items inside a function
    n
}
fn moved_out(list: [Owner; 70]) -> Owner {
    let [a, ..] = list; //~ E0501: moving elements out of this array
    a
}
fn closure_to_native(n: i64) -> i64 {
    let f = |x: i64| x + n;
    std::mem::size_of_val(&f) as i64 + f(1) //~ E0501: the layout of a closure is not known
}
fn out_of_bounds(n: i64) -> i64 {
    let a = [n; 3];
    a[7] //~ E0501: this index is out of bounds
}
fn boxed_closure(n: i64) -> i64 {
    let f: Box<dyn Fn(i64) -> i64> = Box::new(move |x| x + n); //~ E0501: a type without a name, such as a closure's, cannot become a trait object here
    f(1)
}
fn union_field(n: i64) -> i64 {
    let b = Bits { int: n }; //~ E0501: `crate::Bits`
    n
}
fn c_text(n: i64) -> i64 {
    let t = c"text"; //~ E0501: this kind of literal
    n
}
fn asynchronous(n: i64) -> i64 {
    let f = async { n }; //~ E0501: `async` code
    let g = async || n; //~ E0501: an `async` closure
    n
}
fn destructured(n: i64) -> i64 {
    let (mut a, mut b) = (1, n);
    (a, b) = (b, a);
    [a, b] = [b, a];
    a - b
}
fn endless_alias(n: i64) -> i64 {
    let e: Endless = None;
    n
}

fn step(n: i64) -> i64 {
    closure_pointer(n) + type_macro(n) + items_in_function(n) + moved_out(std::array::from_fn(|_| Owner(String::new()))).0.len() as i64 + changing_static(n) + native_code(n) + closure_to_native(n)
        + out_of_bounds(n) + boxed_closure(n) + union_field(n) + c_text(n) + asynchronous(n) + destructured(n)
        + endless_alias(n)
}
