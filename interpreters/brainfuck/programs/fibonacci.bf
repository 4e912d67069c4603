Prints the Fibonacci number of index N in decimal and of any length

Input: N from 1 to 9999 and a newline

Each decimal digit of the current pair of numbers takes seven cells
with the lowest digit first: mark first second copy countdown test zero
A step walks over all digits adds with carry and walks back

read N into two bytes
  >>>>>>>>>>>>,----------[--------------------------------------<<<<<<<<<<
  <<[->>>>>>>>>>>>>>>++++++++++[-<<<<<<<<<+>+<[>-]>[>]<[->>+<<]>>>>>>>>]<<
  <<<<<<<<<<<<<]>>>[->>>>>>++++++++++<<<<<<]>>>>>>>>>[-<<<<<<+>+<[>-]>[>]<
  [->>+<<]>>>>>]<<<<<<[-<<<<<<+>>>>>>]>>>[-<<<<<<+>>>>>>]>>>,----------]
>>>>>>>>>>>>>>>>>>+>>+                          one digit: the pair 0 and 1
are there steps left
  <<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<+<[>-]>[>]+<[->-<]>[->>>>>>>>>>>>>>>>[-]+
  <<<<<<<<<<<<<<<<]>>+<[>-]>[>]+<[->-<]>[->>>>>>>>>>>>>[-]+<<<<<<<<<<<<<]
>>>>>>>>>>>>>[                                  for each of the N steps
  -
  <<<<<<<<<<<<<<<<<+<[>-]>[>]<[->>-<<]<-        one step less
  >>>>>>>>>>>>>>>>>>>>>>>>>>>>>>                go to the lowest digit
  [                                             for each digit
    >>[-<+>>+<]                                 the old second number becomes the new first and is added to the old first
    the sum modulo ten becomes the new second and the next digit takes the carry
      >>++++++++++<<<[->+>>->+<[>-]>[>]<[-<++++++++++<<[-]>>>>>>+<<<]<<<<]
      >>>[-]<[-<<+>>]
    >>>>                                        next digit
  ]
  >[->+<<+>]                                    a carry out of the highest digit makes a new one
  <<<<<<<<[<<<<<<<]                             return over the digits
  are there steps left
    <<<<<<<<<<<<<<<<<<<<<<+<[>-]>[>]+<[->-<]>[->>>>>>>>>>>>>>>>[-]+<<<<<<<
    <<<<<<<<<]>>+<[>-]>[>]+<[->-<]>[->>>>>>>>>>>>>[-]+<<<<<<<<<<<<<]
>>>>>>>>>>>>>]
>>>>>>>>>>>>[>>>>>>>]<<<<<<<                    go behind the highest digit
leave the highest digit out if only the second number has it
  >[->>>+<+<<]>>[-<<+>>]>>+<[>-]>[>]<[-<<<<<->>>>>]<[-]<<<<[>>>>>>>]<<<<<<
  <
                                                print from the highest digit of the first number on
[
                                                one digit
  without leading zeros
    >++++++++++++++++++++++++++++++++++++++++++++++++.<<<<<<<<
]
<<<<<<<<<<<++++++++++.                          end the line
